"""What people say about work that ends in words, plans or numbers: once as a client, once as a worker.

No phrase stands in both registers.
"""

from __future__ import annotations

from valuation.simulation.words_forms import KindWords

THINKING: dict[str, KindWords] = {
    "communicate": KindWords(
        titles=(
            "customer emails about {object}",
            "client communication for {object}",
            "announcement of {object}",
            "email support for {object}",
        ),
        asks=(
            "answer customer emails about our {object}",
            "handle client messages concerning the {object}",
            "write an announcement email for our {object}",
            "talk to customers about the {object} by chat and email",
        ),
        wants=(
            "Friendly tone and perfect English are a must.",
            "You will speak for us to our clients, so be polite.",
            "We will give you the talking points.",
            "Fast responses in chat matter to us.",
        ),
        did=(
            "Drafted replies to customers asking about the {object}",
            "Prepared client emails about changes to the {object}",
            "Composed customer messages on the {object} and a client email",
            "Reworded the email announcement of the {object} to customers",
        ),
        also=(
            "The tone of the email was friendly and polite.",
            "Customers got fast responses by chat, in perfect English.",
            "Client relations were on our minds: talking points came first.",
            "Messages to customers were reworded twice.",
        ),
        skills=("Email Communication", "Customer Service", "Client Relations"),
    ),
    "understand": KindWords(
        titles=(
            "explain how {object} works",
            "review of {object}",
            "consultation on {object}",
            "code audit of {object}",
        ),
        asks=(
            "review our {object} and explain it to us",
            "audit the {object} we inherited and tell us how it works",
            "teach our team how the {object} works",
            "give us a consultation on the {object}",
        ),
        wants=(
            "The previous developer left and nobody understands it any more.",
            "We expect a call in which you walk us through everything.",
            "An honest second opinion is what we are after.",
            "You should be a patient teacher.",
        ),
        did=(
            "Reviewed the {object} and explained how it works",
            "Did a code review of the {object} and explained its flow",
            "Audited the code of the {object} and gave a consultation",
            "Studied and taught the inner structure of the {object}",
        ),
        also=(
            "The code left by a previous developer was explained in a walk through everything.",
            "It was a consultation, a second opinion, with nothing changed.",
            "Teaching came first: how it works, and why.",
            "The audit and the review were explained patiently.",
        ),
        skills=("Code Review", "Consulting", "Tutoring"),
    ),
    "plan": KindWords(
        titles=(
            "roadmap for {object}",
            "technical specification of {object}",
            "project plan for {object}",
            "architect to design {object}",
        ),
        asks=(
            "write a technical specification for our {object}",
            "prepare a roadmap and estimates for a {object}",
            "plan the architecture of a {object}",
            "turn our ideas about the {object} into a project plan",
        ),
        wants=(
            "We want milestones, risks and costs before we hire a team.",
            "The plan should compare at least two options.",
            "Diagrams and user stories are expected.",
            "Our investors need to see a realistic timeline.",
        ),
        did=(
            "Outlined a roadmap and project plan covering the {object}",
            "Proposed an architecture, a technical specification of sorts, for this {object}",
            "Planned the {object} as a project with milestones and requirements",
            "Sketched requirements and a design of the {object}",
        ),
        also=(
            "Milestones, risks, costs and a timeline stand in the plan.",
            "The specification compares two options, with user stories and diagrams.",
            "Planning and requirements analysis came before any team.",
            "Architecture and estimates were put on a timeline.",
        ),
        skills=("Project Planning", "Software Architecture", "Requirements Analysis"),
    ),
    "orchestrate": KindWords(
        titles=(
            "project manager for {object}",
            "coordinate team working on {object}",
            "scrum master for {object}",
            "lead developers of {object}",
        ),
        asks=(
            "manage the team that works on our {object}",
            "coordinate several freelancers on our {object}",
            "lead the developers of the {object}",
            "be the project manager of a {object}",
        ),
        wants=(
            "Daily stand-ups, tickets and deadlines would be yours to manage.",
            "You keep designers and developers pulling in one direction.",
            "Experience with remote teams is required.",
            "We need a leader, not another coder.",
        ),
        did=(
            "Managed a team of agents on the {object} and merged their work",
            "Led and supervised helpers, as project manager of the {object}",
            "Split the {object} among a team of workers and coordinated it",
            "Coordinated and managed workers, a small scrum on the {object}",
        ),
        also=(
            "Tickets, deadlines and stand-ups of the team were managed.",
            "Team leadership meant that each worker had a brief.",
            "Project management kept all remote helpers aligned.",
            "The manager's board showed progress of the whole team.",
        ),
        skills=("Project Management", "Scrum", "Team Leadership"),
    ),
    "analyse": KindWords(
        titles=(
            "data analysis of {object}",
            "analyst for {object} data",
            "report on {object} numbers",
            "statistics for {object}",
        ),
        asks=(
            "analyse the data behind our {object}",
            "find insights in the numbers of our {object}",
            "make a statistical report from {object} data",
            "tell us what the figures of the {object} mean",
        ),
        wants=(
            "Charts and a short summary for management are expected.",
            "We have the raw data in spreadsheets.",
            "We want to know what drives our results.",
            "You should be strong in statistics.",
        ),
        did=(
            "Analysed usage data of the {object} and reported insights",
            "Computed statistics and a data analysis over the {object}",
            "Compared numbers in data exported from the {object}, as an analyst",
            "Queried data of the {object} and wrote up the statistics",
        ),
        also=(
            "Charts and a summary for management came out of the raw data.",
            "The analysis tells what drives results, with statistics.",
            "Statistical insights from the numbers were put in a report.",
            "Figures, raw data and a regression were analysed.",
        ),
        skills=("Data Analysis", "Statistics", "Excel"),
    ),
    "write": KindWords(
        titles=(
            "content writer for {object}",
            "documentation of {object}",
            "articles about {object}",
            "copywriter for {object}",
        ),
        asks=(
            "write articles about our {object}",
            "write the documentation of our {object}",
            "create copy that sells our {object}",
            "write a manual for users of the {object}",
        ),
        wants=(
            "Native English writers only, plagiarism will be checked.",
            "Please attach writing samples.",
            "The copy should be engaging and easy to read.",
            "We will provide keywords and an outline.",
        ),
        did=(
            "Authored documentation and a user manual of the {object}",
            "Wrote content that documents the {object} in plain prose",
            "Rewrote the copy and articles on the {object}",
            "Wrote an article covering the {object}",
        ),
        also=(
            "The copy reads easily and engages.",
            "An outline and keywords preceded the writing.",
            "Technical writing in native English, without plagiarism.",
            "Writing samples, headings and a glossary were appended to the articles.",
        ),
        skills=("Content Writing", "Technical Writing", "Copywriting"),
    ),
}
