"""What people say about each kind of work, once as a client who asks and once as a worker who reports.

No phrase stands in both registers. Only nouns of the trade ("test", "roadmap", "report") are common to them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KindWords:
    """Phrases of one kind of work; ``{object}`` is the thing it is done to, in the phrase's own register.

    Attributes
    ----------
    titles, asks, wants : tuple of str
        A posting's title, the clause after "Looking for someone to", a further sentence.
    did, also : tuple of str
        A session's opening in the past tense, a further sentence.
    skills : tuple of str
        What a posting asks for.
    """

    titles: tuple[str, ...]
    asks: tuple[str, ...]
    wants: tuple[str, ...]
    did: tuple[str, ...]
    also: tuple[str, ...]
    skills: tuple[str, ...]


KINDS: dict[str, KindWords] = {
    "fix": KindWords(
        titles=("bug fix for {object}", "repair broken {object}", "{object} not working, need fix", "troubleshoot {object} errors"),
        asks=(
            "fix a bug in our {object}",
            "repair our broken {object}",
            "find out why our {object} keeps failing and sort it out",
            "troubleshoot errors in the {object} we run",
        ),
        wants=(
            "It used to work and now customers see an error message.",
            "Something broke after the last update and nobody here can fix it.",
            "The problem appears at random, so you must be good at debugging.",
            "Please only apply if you have fixed issues like this before.",
        ),
        did=(
            "Traced a bug in the {object} to its cause and fixed it",
            "Debugged the broken {object} and fixed the error",
            "Fixed a regression, an error that broke the {object}",
            "Reproduced the reported bug in the {object} and repaired it",
        ),
        also=(
            "Debugging showed an error message after an update, and the bug fix removed it.",
            "Troubleshooting the problem at random moments took longest; the errors stopped.",
            "What used to work works again, and the broken case is fixed.",
            "The error that customers had seen is gone after the repair.",
        ),
        skills=("Debugging", "Troubleshooting", "Bug Fixes"),
    ),
    "build": KindWords(
        titles=("developer to build {object}", "create {object}", "{object} development", "build {object} from scratch"),
        asks=(
            "build a {object} for us",
            "develop a new {object} from our sketches",
            "create a {object} that our customers will love",
            "design and develop a {object}",
        ),
        wants=(
            "We have wireframes and a list of features ready.",
            "You will own the development from first line to launch.",
            "We want clean code that another developer can take over.",
            "Please show us similar products you have developed.",
        ),
        did=(
            "Developed and implemented a new {object}",
            "Built the {object} and developed its features",
            "Created the {object} from an empty repository, all development included",
            "Designed, developed and built a first {object}",
        ),
        also=(
            "The development followed wireframes, and every feature runs.",
            "New features were developed as clean code, ready for launch.",
            "Software development went from first line to the finished product.",
            "Full stack: components, routes and models were built and connected.",
        ),
        skills=("Software Development", "Web Development", "Full Stack Development"),
    ),
    "operate": KindWords(
        titles=("{object} maintenance and support", "administrator to run {object}", "deploy and host {object}", "manage {object}"),
        asks=(
            "keep our {object} running",
            "take over hosting and maintenance of the {object}",
            "deploy our {object} and look after it",
            "administer and monitor a {object}",
        ),
        wants=(
            "Updates, backups and uptime would be your responsibility.",
            "We need a reliable admin who answers when things go down.",
            "Migration to a new host is part of the work.",
            "You will get root access after signing an NDA.",
        ),
        did=(
            "Deployed the {object} and checked that it was healthy",
            "Carried out maintenance of the {object} and its hosting without downtime",
            "Migrated the {object} to a new host and administered the servers",
            "Maintained the {object}: monitoring, updates, backups",
        ),
        also=(
            "Updates, backups and uptime were taken care of in the deployment.",
            "Server administration and DevOps chores ended with a migration.",
            "Maintenance went through staging before production was deployed again.",
            "Monitoring, hosting and root access were set up for the admin.",
        ),
        skills=("System Administration", "DevOps", "Maintenance"),
    ),
    "communicate": KindWords(
        titles=("customer emails about {object}", "client communication for {object}", "announcement of {object}", "email support for {object}"),
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
        titles=("explain how {object} works", "review of {object}", "consultation on {object}", "code audit of {object}"),
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
            "Audited the code of the {object} and gave consultation on it",
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
        titles=("roadmap for {object}", "technical specification of {object}", "project plan for {object}", "architect to design {object}"),
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
            "The specification compares two options, with diagrams and user stories.",
            "Planning and requirements analysis came before any team.",
            "Architecture and estimates were put on a timeline.",
        ),
        skills=("Project Planning", "Software Architecture", "Requirements Analysis"),
    ),
    "orchestrate": KindWords(
        titles=("project manager for {object}", "coordinate team working on {object}", "scrum master for {object}", "lead developers of {object}"),
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
            "Project management kept remote helpers pulling in one direction.",
            "The manager's board showed progress of the whole team.",
        ),
        skills=("Project Management", "Scrum", "Team Leadership"),
    ),
    "analyse": KindWords(
        titles=("data analysis of {object}", "analyst for {object} data", "report on {object} numbers", "statistics for {object}"),
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
    "test": KindWords(
        titles=("QA tester for {object}", "test automation for {object}", "{object} quality assurance", "testing of {object}"),
        asks=(
            "test our {object} before launch",
            "write automated tests for our {object}",
            "do quality assurance on a {object}",
            "click through the {object} and report every bug",
        ),
        wants=(
            "We expect a list of defects with screenshots.",
            "Different phones and browsers need to be covered.",
            "You will write test cases from our user stories.",
            "Please tell us about your QA background.",
        ),
        did=(
            "Wrote unit and integration tests covering the {object}",
            "Raised automated test coverage, quality assurance of the {object}",
            "Tested the {object} and recorded bugs",
            "Set up automated QA tests for the {object}",
        ),
        also=(
            "Test cases came from user stories, over browsers and phones.",
            "Defects were reported with screenshots, as QA does.",
            "Testing and test automation covered edge cases.",
            "The quality assurance tests passed at last.",
        ),
        skills=("QA Testing", "Test Automation", "Selenium"),
    ),
    "write": KindWords(
        titles=("content writer for {object}", "documentation of {object}", "articles about {object}", "copywriter for {object}"),
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
            "The copy is engaging and easy to read.",
            "An outline and keywords preceded the writing.",
            "Technical writing in native English, without plagiarism.",
            "Writing samples, headings and a glossary were appended to the articles.",
        ),
        skills=("Content Writing", "Technical Writing", "Copywriting"),
    ),
}
