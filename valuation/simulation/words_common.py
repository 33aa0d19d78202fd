"""Words that clients and workers have in common, and what each of them makes of such words.

A text takes two or three at random from a pool, so that a request and a report of the same work share some words,
seldom all.
"""

from __future__ import annotations

KIND_TOPICS = {
    "fix": ("bugs", "debugging", "errors", "crashes", "repairs", "broken behaviour", "troubleshooting", "defects"),
    "build": (
        "development",
        "new features",
        "prototyping",
        "coding",
        "product design",
        "creating",
        "building",
        "launch",
    ),
    "operate": (
        "maintenance",
        "deployment",
        "hosting",
        "backups",
        "server updates",
        "monitoring",
        "uptime",
        "migration",
    ),
    "communicate": (
        "emails",
        "customer replies",
        "chat messages",
        "announcements",
        "clients",
        "polite wording",
        "letters",
    ),
    "understand": ("code review", "explaining", "auditing", "teaching", "consultation", "how things work", "questions"),
    "plan": ("roadmaps", "planning", "specifications", "milestones", "architecture", "requirements", "estimates"),
    "orchestrate": (
        "project management",
        "teams",
        "coordination",
        "leading people",
        "delegation",
        "scrum",
        "supervision",
    ),
    "analyse": ("data analysis", "statistics", "charts", "insights", "numbers", "regression", "trends", "figures"),
    "test": ("testing", "quality assurance", "test cases", "QA", "test automation", "coverage", "checks"),
    "write": ("writing", "articles", "documentation", "copy", "manuals", "content", "editing", "guides"),
}

DOMAIN_TOPICS = {
    "billing": ("invoices", "VAT", "payments", "subscriptions", "Stripe", "accounting", "receipts", "billing"),
    "landing": ("website layout", "WordPress", "CSS", "HTML", "web pages", "responsive design", "landing pages"),
    "shop": ("online shops", "Shopify", "checkout", "carts", "products", "WooCommerce", "orders", "coupons"),
    "mobile": ("mobile apps", "iOS", "Android", "push notifications", "Swift", "Kotlin", "Flutter", "app stores"),
    "dashboard": ("dashboards", "Power BI", "KPIs", "Tableau", "sales reports", "SQL queries", "metrics", "revenue"),
    "pipeline": ("data pipelines", "ETL", "Airflow", "warehouses", "scraping", "ingestion", "batches", "Snowflake"),
    "chatbot": (
        "chatbots",
        "machine learning",
        "AI models",
        "OpenAI",
        "PyTorch",
        "embeddings",
        "training data",
        "prompts",
    ),
    "cloud": (
        "cloud servers",
        "AWS",
        "Kubernetes",
        "Docker",
        "Terraform",
        "containers",
        "CI pipelines",
        "load balancers",
    ),
    "booking": ("bookings", "reservations", "calendars", "appointments", "hotel rooms", "availability", "guests"),
    "crm": ("CRM", "Salesforce", "HubSpot", "leads", "contacts", "email campaigns", "sales deals", "Zapier"),
    "sheets": ("spreadsheets", "Excel", "Google Sheets", "formulas", "data entry", "PDF files", "tables", "Word"),
    "courses": ("online courses", "students", "lessons", "quizzes", "Moodle", "grades", "learning", "schools"),
    "chain": ("smart contracts", "Solidity", "Ethereum", "tokens", "blockchain", "crypto wallets", "NFTs", "DeFi"),
    "devices": ("firmware", "Arduino", "sensors", "microcontrollers", "Bluetooth", "embedded C", "IoT", "electronics"),
}

SIZE_ADJECTIVES = (
    ("small", "tiny", "minor", "quick", "short", "little", "brief", "modest"),
    ("medium", "mid-sized", "moderate", "week-long", "average-sized", "part-time"),
    ("large", "huge", "massive", "major", "long-term", "enterprise-wide", "extensive", "full-scale"),
)

COMPLEXITY_ADJECTIVES = (
    ("easy", "basic", "standard", "straightforward", "elementary", "plain"),
    ("database-driven", "API-based", "integrated", "intermediate", "third-party", "interconnected"),
    ("complex", "advanced", "distributed", "concurrent", "real-time", "sophisticated"),
)

# Sentences with two or three such words; the client's, then the worker's.
TOPIC_ASKS = ("You know {a} and {b}.", "Needed: {a}, also {b}.", "For fans of {a} and {b}.", "Must have: {a}, {b}.")
TOPIC_REPORTS = ("It concerned {a} besides {b}.", "Mostly {a}, some {b}.", "In short, {a} plus {b}.", "{a}, then {b}.")
SIZE_ASKS = ("A {a}, {b}, rather {c} job.", "The job is {a}, {b}, {c}.", "Think {a} and {b}, even {c}.")
SIZE_REPORTS = ("The effort: {a}, {b}, indeed {c}.", "Overall {a} or {b}, say {c}.", "It was {a} work, {b} and {c}.")
COMPLEXITY_ASKS = ("Technology: {a}, {b}, {c}.", "We run something {a}, {b}, {c}.", "Our set-up is {a}, {b}, {c}.")
COMPLEXITY_REPORTS = (
    "The solution was {a}, yet {b} and {c}.",
    "Technique: {a}, also {b} and {c}.",
    "An approach at once {a} and {b}, in short {c}.",
)
