"""What the work is done to: domains and their objects, named one way by clients and another by workers."""

from __future__ import annotations

from valuation.simulation.words_forms import DomainWords

DOMAINS: dict[str, DomainWords] = {
    "billing": DomainWords(
        objects=(
            (("invoicing system", "invoice software"), ("invoice worker", "invoicing job")),
            (("subscription payments", "recurring billing"), ("subscription renewal logic", "billing cycle code")),
            (("bookkeeping tool", "accounting software"), ("ledger module", "accounting entries")),
        ),
        context=(
            "Our accountant complains about wrong invoices every month.",
            "We bill clients in several countries with VAT.",
        ),
        detail=(
            "Invoice totals, taxes and credit notes were reconciled.",
            "Rounding of invoice amounts followed the ledger.",
        ),
        skills=("Stripe", "QuickBooks", "Accounting"),
        section="Accounting",
    ),
    "landing": DomainWords(
        objects=(
            (("landing page", "one page website"), ("marketing page", "hero section of the site")),
            (("company website", "WordPress website"), ("WordPress theme", "static company site")),
            (("website contact form", "website menu"), ("contact form markup", "navigation bar styles")),
        ),
        context=("Our website has to look modern on phones too.", "Logo, photos and WordPress login will be provided."),
        detail=(
            "CSS, layout and responsive breakpoints of the page were adjusted.",
            "HTML and images of the site were optimised.",
        ),
        skills=("WordPress", "HTML", "CSS"),
        section="Web Design",
    ),
    "shop": DomainWords(
        objects=(
            (("Shopify store", "online shop"), ("storefront", "shop frontend")),
            (("checkout page", "shopping cart"), ("cart checkout flow", "basket step")),
            (("product catalogue", "product listings"), ("catalogue import", "product variants table")),
        ),
        context=("We sell fashion online and want more orders.", "Our store has many abandoned carts."),
        detail=(
            "Cart, coupon and shipping options of the store were covered.",
            "Products, stock levels and orders stayed in sync.",
        ),
        skills=("Shopify", "WooCommerce", "Ecommerce"),
        section="Ecommerce",
    ),
    "mobile": DomainWords(
        objects=(
            (("iPhone app", "iOS application"), ("Swift client", "iOS target")),
            (("Android app", "Android application"), ("Kotlin client", "Android activity")),
            (("delivery app", "Flutter app"), ("Flutter screens", "React Native views")),
        ),
        context=(
            "The app has to be accepted in the App Store and Google Play.",
            "Our app users want push notifications.",
        ),
        detail=("Push notifications and offline mode worked on device.", "The emulator build for phones was signed."),
        skills=("Swift", "Kotlin", "Flutter"),
        section="Mobile Apps",
    ),
    "dashboard": DomainWords(
        objects=(
            (("sales dashboard", "Power BI dashboard"), ("revenue dashboard", "sales charts view")),
            (("KPI report", "management reporting"), ("metrics report", "weekly KPI query")),
            (("Tableau workbook", "business intelligence reports"), ("Tableau extract", "BI layer")),
        ),
        context=(
            "Our managers want to see sales figures every morning.",
            "The numbers come from our CRM and from Excel.",
        ),
        detail=(
            "Filters, chart axes and drill-downs of the dashboard were set.",
            "Metrics now agree with the finance export.",
        ),
        skills=("Power BI", "Tableau", "SQL"),
        section="Business Intelligence",
    ),
    "pipeline": DomainWords(
        objects=(
            (("data pipeline", "ETL process"), ("ingestion pipeline", "Airflow DAG")),
            (("data warehouse", "Snowflake warehouse"), ("warehouse tables", "dbt models")),
            (("web scraper", "scraping script"), ("scraper spider", "crawler for listings")),
        ),
        context=(
            "Data arrives from many suppliers in many formats.",
            "We load data every night and it takes too long.",
        ),
        detail=(
            "Batches, partitions and late records in the ETL were dealt with.",
            "Schema drift in source tables was handled.",
        ),
        skills=("Python", "Airflow", "ETL"),
        section="Data Engineering",
    ),
    "chatbot": DomainWords(
        objects=(
            (("AI chatbot", "customer chatbot"), ("chat assistant", "dialogue agent")),
            (("machine learning model", "prediction model"), ("classifier training script", "inference endpoint")),
            (("recommendation engine", "AI search"), ("embedding search", "ranking model")),
        ),
        context=(
            "We want to use artificial intelligence to save our staff time.",
            "Training data from our help desk is available.",
        ),
        detail=(
            "Prompts, embeddings and model evaluation were tuned.",
            "Training loss and inference latency were logged.",
        ),
        skills=("Machine Learning", "OpenAI", "PyTorch"),
        section="Artificial Intelligence",
    ),
    "cloud": DomainWords(
        objects=(
            (("AWS server", "cloud hosting"), ("EC2 instances", "Terraform stack")),
            (("Kubernetes cluster", "Docker setup"), ("Kubernetes manifests", "Helm release")),
            (("CI/CD", "deployment process"), ("build pipeline in GitHub Actions", "CI workflow")),
        ),
        context=("Our AWS bill is too high.", "Everything runs on one old server today."),
        detail=(
            "Pods, load balancer and security groups were declared as code.",
            "Container images and secrets were rotated.",
        ),
        skills=("AWS", "Kubernetes", "Docker"),
        section="Cloud",
    ),
    "booking": DomainWords(
        objects=(
            (("booking system", "reservation website"), ("reservation calendar", "slot booking service")),
            (("appointment scheduler", "clinic scheduling tool"), ("appointment reminders", "scheduling engine")),
            (("hotel booking portal", "rental booking site"), ("room availability search", "rental inventory service")),
        ),
        context=(
            "Guests must be able to book and cancel on their own.",
            "Double bookings cost us money every weekend.",
        ),
        detail=(
            "Calendar slots, time zones and cancellations were considered.",
            "Availability stayed consistent between two bookings.",
        ),
        skills=("Calendar API", "PHP", "Laravel"),
        section="Web Applications",
    ),
    "crm": DomainWords(
        objects=(
            (("CRM", "Salesforce CRM"), ("Salesforce objects", "contact records sync")),
            (("HubSpot automation", "email campaigns"), ("HubSpot workflow", "campaign triggers")),
            (("lead list", "lead generation"), ("lead scoring rules", "leads table")),
        ),
        context=("Our sales team loses leads because nobody follows up.", "We are moving from one CRM to another."),
        detail=(
            "Duplicated contacts and lead owners were merged.",
            "Custom fields of deals were mapped in Salesforce.",
        ),
        skills=("Salesforce", "HubSpot", "Zapier"),
        section="Sales and Marketing",
    ),
    "sheets": DomainWords(
        objects=(
            (("Excel spreadsheet", "Google Sheet"), ("spreadsheet formulas", "workbook macros")),
            (("Word documents", "PDF forms"), ("PDF export", "document template")),
            (("data entry work", "office file sorting"), ("table clean-up", "rows of typed records")),
        ),
        context=("We still do everything by hand in Excel.", "The files are on Google Drive."),
        detail=(
            "Columns, formulas and pivot tables of the sheet were corrected.",
            "Cells with mixed formats were normalised.",
        ),
        skills=("Microsoft Excel", "Google Sheets", "Data Entry"),
        section="Admin Support",
    ),
    "courses": DomainWords(
        objects=(
            (("online course", "e-learning platform"), ("lesson player", "learning platform backend")),
            (("student portal", "school website"), ("enrolment pages", "grade book")),
            (("quiz app", "exam tool"), ("quiz engine", "question bank")),
        ),
        context=("Teachers and students will use it every day.", "Our pupils are between ten and sixteen."),
        detail=(
            "Lessons, quizzes and grades were linked to each student.",
            "Course progress is kept for every learner.",
        ),
        skills=("Moodle", "E-Learning", "Instructional Design"),
        section="Education",
    ),
    "chain": DomainWords(
        objects=(
            (("smart contract", "Ethereum token"), ("Solidity contract", "token vesting contract")),
            (("NFT marketplace", "crypto exchange"), ("mint and auction code", "order book of the exchange")),
            (("crypto wallet", "DeFi app"), ("wallet signing code", "staking pool")),
        ),
        context=(
            "The token sale starts soon and investors are waiting.",
            "Security matters because real coins are at stake.",
        ),
        detail=(
            "Gas costs and reentrancy in Solidity were looked at.",
            "Transactions on the blockchain testnet were confirmed.",
        ),
        skills=("Solidity", "Ethereum", "Web3"),
        section="Blockchain",
    ),
    "devices": DomainWords(
        objects=(
            (("Arduino device", "IoT sensor"), ("sensor firmware", "microcontroller driver")),
            (("Bluetooth gadget", "smart home product"), ("BLE stack", "home hub integration")),
            (("3D printed robot", "drone controller"), ("motor control loop", "flight controller code")),
        ),
        context=("We are a hardware start-up with a working prototype.", "Battery life of the device is too short."),
        detail=(
            "Interrupts, registers and battery drain on the board were measured.",
            "Firmware was flashed to the microcontroller.",
        ),
        skills=("Embedded C", "Arduino", "Electronics"),
        section="Engineering",
    ),
}
