"""What people say about work that changes a thing: once as a client who asks, once as a worker who reports.

No phrase stands in both registers.
"""

from __future__ import annotations

from valuation.simulation.words_forms import KindWords

MAKING: dict[str, KindWords] = {
    "fix": KindWords(
        titles=(
            "bug fix for {object}",
            "repair broken {object}",
            "{object} not working, need fix",
            "troubleshoot {object} errors",
        ),
        asks=(
            "fix a bug in our {object}",
            "repair our broken {object}",
            "find out why our {object} keeps failing and sort it out",
            "troubleshoot errors in the {object} we run",
        ),
        wants=(
            "All used to work and now customers see an error message.",
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
        titles=(
            "developer to build {object}",
            "create {object}",
            "{object} development",
            "build {object} from scratch",
        ),
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
            "Implemented and developed the {object}, all new",
            "Built the {object} and developed its features",
            "Created the {object} from an empty repository, all development included",
            "Designed, developed and built a first {object}",
        ),
        also=(
            "The development followed wireframes, and every feature runs.",
            "New features were developed as clean code, ready for launch.",
            "Software development went from the first commit to a finished product.",
            "Full stack: components, routes and models were built and connected.",
        ),
        skills=("Software Development", "Web Development", "Full Stack Development"),
    ),
    "operate": KindWords(
        titles=(
            "{object} maintenance and support",
            "administrator to run {object}",
            "deploy and host {object}",
            "manage {object}",
        ),
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
            "Carried out maintenance for the {object} and its hosting without downtime",
            "Migrated the {object} to another host and administered the servers",
            "Maintained the {object}: monitoring, updates, backups",
        ),
        also=(
            "Chores like backups, then updates, kept the uptime of the deployment.",
            "Server administration and DevOps chores ended with a migration.",
            "Maintenance went through staging before production was deployed again.",
            "Monitoring, hosting and root access were set up for the admin.",
        ),
        skills=("System Administration", "DevOps", "Maintenance"),
    ),
    "test": KindWords(
        titles=(
            "QA tester for {object}",
            "test automation for {object}",
            "{object} quality assurance",
            "testing of {object}",
        ),
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
}
