"""The cast of the simulated fleet: its agents, who owns them, and what people ask of them."""

from msgspec import Struct


class Model(Struct, frozen=True):
    """A model. Prices in USD per million tokens; `seconds`: median duration of a call."""

    name: str
    provider: str
    input_usd: float
    output_usd: float
    seconds: float


class Profile(Struct, frozen=True, kw_only=True):
    """One agent. `rate_per_h`: sessions an hour at noon. `tool_errors`: share of tool calls that fail.

    `asks`: sentences with slots in braces; `fills`: what stands in a slot. `{id}` is always a number.
    """

    name: str
    team: str
    model: Model
    rate_per_h: float
    tools: tuple[str, ...]
    asks: tuple[str, ...]
    fills: dict[str, tuple[str, ...]]
    input_tokens: int = 1800
    output_tokens: int = 180
    tool_errors: float = 0.02


LARGE = Model("northwind-large", "northwind", 2.5, 10.0, 2.4)
SMALL = Model("northwind-small", "northwind", 0.3, 1.2, 0.9)
SWIFT = Model("halcyon-swift", "halcyon", 0.15, 0.6, 0.7)
DEEP = Model("halcyon-deep", "halcyon", 3.0, 15.0, 3.1)
OPEN = Model("meridian-9b", "selfhosted", 0.1, 0.1, 1.4)

GOODS = ("kettle", "desk lamp", "backpack", "pair of running shoes", "rain jacket", "blender", "headphones")
CITIES = ("Lisbon", "Oslo", "Vienna", "Toronto", "Nairobi", "Osaka", "Porto", "Leeds")
MONTHS = ("January", "March", "May", "July", "September", "November")

CAST = (
    Profile(
        name="refund-agent",
        team="payments",
        model=LARGE,
        rate_per_h=46,
        tools=("find_order", "check_payment", "issue_refund"),
        asks=(
            "I would like my money back for the {goods} in order {id}, it {fault}.",
            "Where is the refund for order {id}? I returned the {goods} {when}.",
            "The {goods} {fault} and I want to return it, the order number is {id}.",
            "You charged my card twice for order {id}, please refund one of them.",
            "Can I get store credit instead of a refund for the {goods}?",
            "The parcel {id} came without the {goods}, please pay it back.",
        ),
        fills={
            "goods": GOODS,
            "fault": ("arrived broken", "does not switch on", "is the wrong colour", "is too small", "leaks"),
            "when": ("last week", "ten days ago", "on Monday", "before the weekend"),
        },
    ),
    Profile(
        name="order-agent",
        team="payments",
        model=SMALL,
        rate_per_h=60,
        tools=("find_order", "track_parcel", "change_address", "cancel_order"),
        asks=(
            "When will order {id} be delivered?",
            "Please send order {id} to my office in {city} instead.",
            "I want to cancel the {goods} from order {id} before it ships.",
            "The tracking page says {status} since {when}, what is happening?",
            "Can you add a {goods} to my order {id}?",
            "Is the {goods} available again, and how long is shipping to {city}?",
        ),
        fills={
            "goods": GOODS,
            "city": CITIES,
            "status": ("in transit", "waiting for the carrier", "out for delivery", "held at customs"),
            "when": ("yesterday", "Friday", "three days", "this morning"),
        },
    ),
    Profile(
        name="billing-agent",
        team="payments",
        model=SMALL,
        rate_per_h=24,
        tools=("read_invoice", "change_plan", "charge_card"),
        asks=(
            "Why is my invoice {id} higher than in {month}?",
            "Please move me from the {plan} plan to the {other} plan.",
            "My card was declined, can I pay invoice {id} by bank transfer?",
            "I need the {month} invoice with our company's tax number on it.",
            "How do I stop the {plan} subscription at the end of {month}?",
        ),
        fills={
            "month": MONTHS,
            "plan": ("starter", "family", "premium"),
            "other": ("business", "yearly", "student"),
        },
    ),
    Profile(
        name="claims-intake",
        team="insurance",
        model=DEEP,
        rate_per_h=22,
        input_tokens=3200,
        output_tokens=320,
        tools=("open_claim", "read_policy", "request_documents"),
        asks=(
            "I had {accident} in {city} and want to report the damage under policy {id}.",
            "A pipe burst in our {room} and the floor is wet, is that covered?",
            "Somebody broke into my car and took the {stolen}, what do you need from me?",
            "I have uploaded the photos for claim {id}, what happens next?",
            "The garage estimates the repair of the {part}, will you pay it in full?",
            "How long does it take until claim {id} is decided?",
        ),
        fills={
            "accident": ("a car accident", "a bicycle crash", "a collision while parking", "a fall on ice"),
            "city": CITIES,
            "room": ("kitchen", "bathroom", "basement", "hallway"),
            "stolen": ("laptop", "radio", "camera bag", "tools"),
            "part": ("bumper", "windscreen", "left door", "roof"),
        },
    ),
    Profile(
        name="policy-advisor",
        team="insurance",
        model=DEEP,
        rate_per_h=18,
        input_tokens=2600,
        tools=("read_policy", "quote"),
        asks=(
            "Does my household policy cover {risk}?",
            "What would it cost to insure a {thing} from {month} on?",
            "I am moving to {city}, do I have to change policy {id}?",
            "Please explain the deductible for {risk} in plain words.",
            "Can my {relative} be added to policy {id}?",
        ),
        fills={
            "risk": ("water damage", "theft abroad", "hail", "a broken window", "lost keys", "dog bites"),
            "thing": ("motorbike", "camper van", "small boat", "cargo bike"),
            "month": MONTHS,
            "city": CITIES,
            "relative": ("daughter", "partner", "father", "flatmate"),
        },
    ),
    Profile(
        name="it-helpdesk",
        team="workplace",
        model=SWIFT,
        rate_per_h=40,
        tools=("search_articles", "reset_password", "open_ticket"),
        asks=(
            "My laptop does not connect to the {net} since the update.",
            "I forgot my password for {app}, can you reset it?",
            "The printer on floor {floor} prints blank pages.",
            "{app} crashes when I open a large file.",
            "I need a second monitor and a docking station for desk {id}.",
            "How do I set up the {net} on my new phone?",
        ),
        fills={
            "net": ("wireless network", "remote network", "guest network"),
            "app": ("the mail program", "the spreadsheet program", "the time tracker", "the chat client"),
            "floor": ("two", "three", "five", "seven"),
        },
    ),
    Profile(
        name="access-desk",
        team="workplace",
        model=SWIFT,
        rate_per_h=16,
        tools=("read_directory", "grant_role", "revoke_role"),
        tool_errors=0.04,
        asks=(
            "Please give {person} read access to the {system} database.",
            "I joined the {group} team and need the role for {system}.",
            "My access to {system} expired, can it be extended until {month}?",
            "{person} left the {group} team, please remove all roles.",
            "Who approves access to {system} for contractors?",
        ),
        fills={
            "person": ("Ines", "Tomas", "Amara", "Jonas", "Priya", "Mateo"),
            "system": ("reporting", "customer", "warehouse", "payroll"),
            "group": ("finance", "logistics", "research", "support"),
            "month": MONTHS,
        },
    ),
    Profile(
        name="travel-booker",
        team="travel",
        model=LARGE,
        rate_per_h=26,
        input_tokens=2400,
        tools=("search_flights", "search_hotels", "book", "read_calendar"),
        asks=(
            "I need a flight from {city} to {other} on the {day} of {month}.",
            "Find me a quiet hotel near the station in {city} for two nights.",
            "What is the cheapest train from {city} to {other} in the morning?",
            "Please book a rental car in {city} for the {day}.",
            "Can I fly to {other} with one stop and arrive before noon?",
        ),
        fills={
            "city": CITIES,
            "other": ("Madrid", "Zurich", "Boston", "Seoul", "Dublin", "Prague"),
            "day": ("third", "ninth", "twelfth", "twentieth"),
            "month": MONTHS,
        },
    ),
    Profile(
        name="travel-changes",
        team="travel",
        model=SMALL,
        rate_per_h=14,
        tools=("find_booking", "rebook", "cancel_booking"),
        tool_errors=0.05,
        asks=(
            "My flight to {city} was cancelled, please rebook booking {id}.",
            "I want to move my hotel in {city} by one night.",
            "Can I change the name on ticket {id}?",
            "The connection in {city} is too short, is there a later one?",
            "Please cancel booking {id} and tell me the fee.",
        ),
        fills={"city": CITIES},
    ),
    Profile(
        name="benefits-guide",
        team="people",
        model=SWIFT,
        rate_per_h=12,
        tools=("search_handbook", "read_balance"),
        asks=(
            "How many days of leave do I have left in {month}?",
            "Does the company pay for {perk}?",
            "How do I register my newborn for the health plan?",
            "Who do I tell about my new address in {city}?",
            "What are the rules for {perk} when I work part time?",
        ),
        fills={
            "month": MONTHS,
            "perk": ("a gym", "language classes", "a bicycle", "parental leave", "a standing desk"),
            "city": CITIES,
        },
    ),
    Profile(
        name="code-reviewer",
        team="platform",
        model=DEEP,
        rate_per_h=20,
        input_tokens=5200,
        output_tokens=420,
        tools=("read_diff", "run_tests", "search_code"),
        tool_errors=0.03,
        asks=(
            "Review change {id}: it adds {what} to the {part} service.",
            "Are there tests missing for {what} in change {id}?",
            "Does this refactoring of the {part} module change behaviour?",
            "Check change {id} for races in the {part} worker.",
            "Summarise what change {id} does for the release notes.",
        ),
        fills={
            "what": ("retries", "pagination", "a cache", "input validation", "a rate limit"),
            "part": ("billing", "search", "login", "export", "scheduler"),
        },
    ),
    Profile(
        name="log-explainer",
        team="platform",
        model=OPEN,
        rate_per_h=30,
        tools=("query_logs", "query_metrics"),
        asks=(
            "Why did job {id} in the {part} cluster fail?",
            "Explain the warning about {what} in the {part} logs.",
            "Which deploy started the {what} on node {id}?",
            "Compare memory use of the {part} pods before and after the restart.",
            "Is the {what} on {part} the same as last week's?",
        ),
        fills={
            "part": ("ingest", "billing", "search", "frontend"),
            "what": ("slow queries", "connection resets", "disk pressure", "clock skew"),
        },
    ),
)
