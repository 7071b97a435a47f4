"""What people of one kind of work talk and write about in the demo company."""

from __future__ import annotations

from dataclasses import dataclass

# A thread reads as a conversation: (who, text), m for the manager, e for the employee.
Thread = list[tuple[str, str]]


@dataclass(frozen=True)
class Field:
    """One kind of work: its conversations, the points of its check-ins, what is valued, and what comes next.

    `praise` and `wish` are a manager's words about how somebody works, `learned` one's own; `forward` what
    should grow, `steps` the development plan as (text, support).
    """

    threads: tuple[Thread, ...]
    agenda_manager: tuple[str, ...]
    agenda_employee: tuple[str, ...]
    actions: tuple[str, ...]
    promises: tuple[str, ...]
    praise: tuple[str, ...]
    wish: tuple[str, ...]
    learned: tuple[str, ...]
    forward: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]


ENGINEERING = Field(
    threads=(
        [
            (
                "m",
                "I would rather we aim at drift over a whole night than at peak accuracy. What would you need?",
            ),
            (
                "e",
                "A climate chamber for two weeks, and Sami for the set-up. Without it I can promise 1.2 at best.",
            ),
            ("m", "The chamber is booked. I will ask for Sami; let us put both into the check-in."),
        ],
        [
            ("e", "I would like to learn the simulation side. Is there room for it this year?"),
            (
                "m",
                "There is from next month. Take one afternoon a week, and tell me if the week eats it.",
            ),
        ],
    ),
    agenda_manager=(
        "What slowed the last test run down?",
        "Which measurement do we drop if the chamber is late?",
        "Review of the release list",
    ),
    agenda_employee=(
        "Access to the climate chamber",
        "Who reviews my design while Freya is away",
        "A course on uncertainty budgets",
    ),
    actions=(
        "Write up the overnight series and send it round",
        "Move the test set-up to the new bench",
    ),
    promises=(
        "Get the climate chamber for two weeks",
        "Free one afternoon a week for the simulation",
    ),
    praise=(
        "The written hand-overs have become the standard of the team.",
        "Others can build on this work, because every step is measured and written down.",
    ),
    wish=(
        "delegate the routine measurements, so that there is room for the simulation",
        "show a half-finished design earlier; two eyes more save a week",
    ),
    learned=(
        "I trusted the old fixture for too long; next time I measure it first.",
        "Writing the test before the change cost me a day and saved me three.",
    ),
    forward=(
        "Run the simulation alone by summer, and teach one colleague.",
        "Lead the design review of one module.",
    ),
    steps=(
        ("Course on uncertainty budgets", "Course fee and two days"),
        ("Run three simulations with Ottilie", "One afternoon a week"),
        ("Lead one design review", "The team lead sits in"),
    ),
)

PRODUCTION = Field(
    threads=(
        [
            ("e", "The target was set before the new supplier. Can we look at it again?"),
            (
                "m",
                "Yes. Bring last month's figures; if the parts are the cause, we change the goal, not the story.",
            ),
        ],
        [
            (
                "m",
                "You stopped the line on Tuesday and were right. I want others to dare that too.",
            ),
            ("e", "I can tell it in the morning round, with the part in my hand."),
        ],
    ),
    agenda_manager=(
        "What did the line teach us this week?",
        "Cover for the early shift",
        "The near misses of the last two weeks",
    ),
    agenda_employee=(
        "The supplier's new drawing",
        "Time for the second station",
        "Tools that are missing at my place",
    ),
    actions=(
        "Draft the checklist for the second station",
        "Photograph the three faults for the board",
    ),
    promises=(
        "Speak with the supplier about the late drawings",
        "Free one shift a month for training",
    ),
    praise=(
        "Reliable and careful, and the person whom others ask first.",
        "Stops when something looks wrong, and says so before it costs anything.",
    ),
    wish=(
        "ask for help in the first week and not in the fourth",
        "hand the second station over in writing, so that it does not hang on one person",
    ),
    learned=(
        "I would ask for help in the first week, not in the fourth.",
        "A photograph of the fault says more than my report did.",
    ),
    forward=(
        "Sign off on one station more, and take over the near-miss round.",
        "Train one new colleague from the first day to the sign-off.",
    ),
    steps=(
        ("Sign-off on a second station", "One shift a month for training"),
        ("Lead the near-miss round for a quarter", ""),
        ("Visit one supplier with the buyer", "A day of travel"),
    ),
)

SALES = Field(
    threads=(
        [
            (
                "m",
                "Your preparation for the Vienna visit showed. Others should see how you do that.",
            ),
            ("e", "Thank you. I can show it in the Thursday round if that helps."),
        ],
        [
            ("e", "The trial in Lyon needs service in the room from day one. May I promise that?"),
            ("m", "Yes, for the first week. I will clear it with Fiona."),
        ],
    ),
    agenda_manager=(
        "Which three accounts decide the quarter?",
        "Cover during your next trip",
        "Feedback from the Vienna visit",
    ),
    agenda_employee=(
        "Who answers the mailbox during the fair",
        "Price for the second site",
        "Help for the trial in Lyon",
    ),
    actions=("Prepare the renewal list by region", "Ask two customers for their drift logs"),
    promises=("Find cover for the fair in spring", "Clear the price for the second site"),
    praise=(
        "Customers call because they know they get a straight answer.",
        "Brings service into the room early, and trials end well for it.",
    ),
    wish=(
        "agree on cover before each trip",
        "write down what was promised on the day it was promised",
    ),
    learned=(
        "I bring service into the room early now; the trial that almost failed taught me that.",
        "A renewal that starts in spring needs no discount in December.",
    ),
    forward=(
        "Lead one account group from the first meeting to the renewal.",
        "Hold the price talk of a large account alone.",
    ),
    steps=(
        ("Shadow one renewal from start to signature", "Introduction by the team lead"),
        ("Workshop on price talks", "Course fee and one day"),
        ("Present one account in the Thursday round", ""),
    ),
)

SERVICE = Field(
    threads=(
        [
            ("m", "Three customers praised the same thing: you call before they have to."),
            ("e", "It saves a second call. I keep a list on the van's door for it."),
        ],
        [
            (
                "e",
                "I spend an hour a day on steps that the wizard should take over. Who can I tell?",
            ),
            ("m", "Marta. Send her the five most frequent ones, and copy me in."),
        ],
    ),
    agenda_manager=(
        "The case that took longest",
        "Routes for the next two weeks",
        "What should stand in the knowledge base?",
    ),
    agenda_employee=(
        "Spare parts that I was missing",
        "On-call days in the holidays",
        "A loan unit for the hospital",
    ),
    actions=("Write the article on lamp changes", "Send the five most frequent faults to Firmware"),
    promises=("Get a second loan unit", "Swap the on-call weekend"),
    praise=(
        "Stays with the customer until the unit runs, and writes down what was learned.",
        "Calls before the customer has to, and is thanked for it.",
    ),
    wish=(
        "write the article on the day of the case, while it is fresh",
        "hand a case on after a day instead of carrying it alone",
    ),
    learned=(
        "A case that I hand on after a day is solved sooner than one I carry alone.",
        "Ten minutes on the phone spare the drive more often than I thought.",
    ),
    forward=(
        "Take over the spare-parts list, and train two colleagues on the M4.",
        "Run one maintenance round for a large account alone.",
    ),
    steps=(
        ("Training on the M4 optics", "Three days in the lab"),
        ("Write one article a month", "Two hours on Fridays"),
        ("Accompany one installation abroad", "Travel"),
    ),
)

PEOPLE = Field(
    threads=(
        [
            (
                "m",
                "The first draft of the guide reads well. Show it on the third day next time, not in the third week.",
            ),
            ("e", "Agreed. I will take it to two teams tomorrow, as it is."),
        ],
        [
            (
                "e",
                "Managers ask me for the form when they need the conversation. May I send them away?",
            ),
            ("m", "Offer to sit in on the first one. After that, yes."),
        ],
    ),
    agenda_manager=(
        "Open positions and what blocks them",
        "The two hard conversations ahead",
        "What managers ask most",
    ),
    agenda_employee=(
        "Access to the old contracts",
        "Help with the workshop in Gdansk",
        "Order of the three open positions",
    ),
    actions=("Take the guide to two teams", "Call the three candidates who said no"),
    promises=("Speak with the works council", "Clear the budget for the workshop"),
    praise=(
        "People come back with the second question, which says how the first was answered.",
        "Writes letters that nobody has to read twice.",
    ),
    wish=(
        "show drafts on the third day and not in the third week",
        "let managers hold the conversation, and sit beside them",
    ),
    learned=(
        "A draft that I show early is a better one, even if it hurts for a day.",
        "Sitting beside a manager teaches more than any slide of mine.",
    ),
    forward=("Lead the pay review of one division.", "Hold the managers' workshop alone."),
    steps=(
        ("Course on employment law", "Course fee and three days"),
        ("Hold one workshop alone", "Lea sits in"),
        ("Spend a week on the line", ""),
    ),
)

FINANCE = Field(
    threads=(
        [
            ("m", "The close came on day five and nobody worked at night. How did you do it?"),
            (
                "e",
                "Two of the checks run by rules now. The next one is the accruals; I need IT for that.",
            ),
            ("m", "I will ask for two days in the coming month."),
        ],
        [
            ("e", "Sales sends the travel receipts after the close every month. May I say no?"),
            ("m", "Say it once, in writing, with the date. I stand behind it."),
        ],
    ),
    agenda_manager=(
        "What held the close up?",
        "Questions from the auditors",
        "Cover for the payroll run",
    ),
    agenda_employee=(
        "Two days of IT for the accruals",
        "Receipts that come late",
        "A look at the new lease rules",
    ),
    actions=("Write down the rule for accruals", "Send the list of late receipts"),
    promises=("Get two days of IT", "Speak with Sales about receipts"),
    praise=(
        "Figures that people trust, because the way to them is written down.",
        "Finds the cause behind a wrong number, not only the number.",
    ),
    wish=(
        "explain a figure to its owner before it is in the report",
        "let somebody else do the run once, and watch",
    ),
    learned=(
        "A rule that anybody can read is worth more than a clever sheet.",
        "I ask for the receipt before the close now, and get it.",
    ),
    forward=(
        "Take the payroll run through one year end, with somebody beside.",
        "Present the quarter to the heads of the divisions.",
    ),
    steps=(
        ("Seminar on the new lease rules", "Seminar fee and a day"),
        ("Present one quarter", "Petra sits in"),
        ("Swap desks with payroll for a week", ""),
    ),
)

IT = Field(
    threads=(
        [
            ("m", "The restore on Tuesday took nine hours. What would make it four?"),
            (
                "e",
                "A second disk shelf and one dry run a month. The first costs money, the second only me.",
            ),
            ("m", "Start with the dry runs; I bring the shelf into the budget."),
        ],
        [
            ("e", "Half of my day goes into passwords. May I switch the self-service on?"),
            ("m", "For Finance first, next week. If nobody shouts, for all."),
        ],
    ),
    agenda_manager=(
        "What was down, and who noticed first?",
        "Machines that must leave the network",
        "The next dry run",
    ),
    agenda_employee=(
        "A maintenance window on a weekday",
        "Licences that run out",
        "Who decides about old machines",
    ),
    actions=("Write down the steps of the restore", "List the machines without updates"),
    promises=(
        "Bring the disk shelf into the budget",
        "Agree on a maintenance window with Production",
    ),
    praise=(
        "Calm when something is down, and everybody knows what happens next.",
        "Explains it so that the same question does not come twice.",
    ),
    wish=(
        "say no to the tenth small request, so that the large one gets done",
        "write the steps down before the next holiday",
    ),
    learned=(
        "A dry run on a quiet day is worth three plans.",
        "Self-service took the passwords off my desk; I should have dared it earlier.",
    ),
    forward=("Run the yearly restore test alone.", "Lead the move to the new directory."),
    steps=(
        ("Certificate for the backup system", "Examination fee"),
        ("Lead one restore test", ""),
        ("Visit the line for a shift", ""),
    ),
)

BY_TEAM = {
    "Engineering": ENGINEERING,
    "Optics": ENGINEERING,
    "Firmware": ENGINEERING,
    "Production": PRODUCTION,
    "Assembly": PRODUCTION,
    "Calibration Lab": PRODUCTION,
    "Supply": PRODUCTION,
    "Sales": SALES,
    "Key Accounts": SALES,
    "Service": SERVICE,
    "People and Finance": PEOPLE,
    "People": PEOPLE,
    "Finance": FINANCE,
    "IT": IT,
}

# Said to somebody whose result fell short, early enough to act on it; what it was about, by {month}.
TOLD: Thread = [
    (
        "m",
        (
            "Two customers heard nothing from us for a week in {month}. "
            "I want to tell you now, and not in a form at the end of the year."
        ),
    ),
    ("e", "That was me, I had no cover during the fair. I should have asked for it."),
    ("m", "Then let us agree on cover before each trip. I will arrange it for the next one."),
]
TOLD_LAST_YEAR: Thread = [
    (
        "m",
        (
            "Half of the units that came back in {month} were from your station, and the second one is not begun. "
            "I tell you now, while there is time. What do you need?"
        ),
    ),
    ("e", "Somebody beside me for the alignment. I did not want to say that I cannot do it alone."),
    ("m", "Iris comes to you two shifts a week from Monday."),
]
