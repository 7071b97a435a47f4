"""What the people of the demo company are called and what they write. All of it is made up."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

COMPANY = "Meridian Instruments"

# Who sits where: (name, job title, grade, yearly pay, sex). The first of a team leads it; the first
# team of a unit holds the head of the unit alone.
UNITS: dict[str, dict[str, list[tuple[str, str, str, int, str]]]] = {
    "Engineering": {
        "": [("Dora Kiss", "Head of Engineering", "G7", 148000, "f")],
        "Optics": [
            ("Bashir Nouri", "Team Lead, Optics", "G6", 112000, "m"),
            ("Ana Popescu", "Optical Engineer", "G4", 78000, "f"),
            ("Chen Wei", "Optical Engineer", "G4", 81000, "m"),
            ("Ottilie Brandt", "Senior Optical Engineer", "G5", 94000, "f"),
            ("Sami Virtanen", "Test Engineer", "G3", 66000, "m"),
            ("Nkechi Obi", "Optical Engineer", "G4", 76500, "f"),
            ("Pavel Dvorak", "Lab Technician", "G2", 51000, "m"),
        ],
        "Firmware": [
            ("Marta Silva", "Team Lead, Firmware", "G6", 115000, "f"),
            ("Emre Aydin", "Firmware Engineer", "G4", 83000, "m"),
            ("Freya Lund", "Senior Firmware Engineer", "G5", 98000, "f"),
            ("Goran Ilic", "Firmware Engineer", "G4", 79000, "m"),
            ("Hana Sato", "Firmware Engineer", "G3", 69500, "f"),
            ("Ivo Petrov", "Test Engineer", "G3", 64000, "m"),
        ],
    },
    "Production": {
        "": [("Tomas Berg", "Head of Production", "G7", 139000, "m")],
        "Assembly": [
            ("Farid Amiri", "Team Lead, Assembly", "G5", 88000, "m"),
            ("Grace Mensah", "Assembly Technician", "G2", 49500, "f"),
            ("Henk de Vries", "Assembly Technician", "G2", 50500, "m"),
            ("Iris Novak", "Senior Technician", "G3", 58500, "f"),
            ("Jamal Haddad", "Assembly Technician", "G2", 48000, "m"),
            ("Katya Orlova", "Assembly Technician", "G2", 49000, "f"),
            ("Luis Romero", "Assembly Technician", "G1", 45000, "m"),
            ("Mei Tanaka", "Quality Inspector", "G3", 60500, "f"),
            ("Nils Eriksen", "Assembly Technician", "G2", 47500, "m"),
        ],
        "Calibration Lab": [
            ("Oksana Melnyk", "Team Lead, Calibration", "G5", 90500, "f"),
            ("Peter Walsh", "Calibration Technician", "G3", 59500, "m"),
            ("Rosa Fernandez", "Calibration Technician", "G3", 61000, "f"),
            ("Stefan Roth", "Calibration Technician", "G2", 53000, "m"),
            ("Thandi Nkosi", "Metrologist", "G4", 74000, "f"),
            ("Uwe Schmitt", "Calibration Technician", "G2", 52000, "m"),
        ],
        "Supply": [
            ("Vera Lindgren", "Team Lead, Supply", "G5", 86000, "f"),
            ("Wojtek Nowak", "Buyer", "G3", 58000, "m"),
            ("Ximena Cruz", "Buyer", "G3", 59000, "f"),
            ("Yusuf Demir", "Warehouse Specialist", "G2", 47000, "m"),
            ("Zoe Papadakis", "Planner", "G3", 62000, "f"),
        ],
    },
    "Sales": {
        "": [("Gita Rao", "Head of Sales", "G7", 142000, "f")],
        "Key Accounts": [
            ("Hugo Blanc", "Team Lead, Key Accounts", "G6", 108000, "m"),
            ("Adele Fournier", "Key Account Manager", "G5", 91000, "f"),
            ("Boris Antonov", "Key Account Manager", "G5", 90000, "m"),
            ("Carmen Ortiz", "Account Manager", "G4", 75000, "f"),
            ("Daniel Kowalski", "Account Manager", "G4", 73500, "m"),
            ("Elif Kaya", "Sales Engineer", "G4", 77000, "f"),
        ],
        "Service": [
            ("Fiona Byrne", "Team Lead, Service", "G5", 87000, "f"),
            ("Gabor Toth", "Field Service Engineer", "G3", 63000, "m"),
            ("Helga Winter", "Field Service Engineer", "G3", 62500, "f"),
            ("Ismael Diallo", "Field Service Engineer", "G3", 64500, "m"),
            ("Jana Kralova", "Customer Support", "G2", 50000, "f"),
            ("Karim Benali", "Customer Support", "G2", 49000, "m"),
        ],
    },
    "People and Finance": {
        "": [("Kim Larsen", "Head of People", "G7", 131000, "f")],
        "People": [
            ("Lea Roth", "HR Business Partner", "G5", 92000, "f"),
            ("Ines Costa", "HR Business Partner", "G5", 90000, "f"),
            ("Milan Horvat", "People Operations", "G3", 61000, "m"),
        ],
        "Finance": [
            ("Petra Keller", "Team Lead, Finance", "G6", 104000, "f"),
            ("Quentin Moreau", "Accountant", "G4", 71000, "m"),
            ("Ruth Osei", "Accountant", "G3", 63500, "f"),
            ("Sven Dahl", "Payroll Specialist", "G3", 60000, "m"),
        ],
    },
}
CHIEF = ("Astrid Holm", "Chief Executive", "G8", 210000, "f")
ZONES = {"Sales": "America/New_York", "Production": "Europe/Warsaw", "Engineering": "Europe/Berlin"}

# (job title word, minimum, midpoint, maximum) by grade.
PAY_RANGES = {
    "G1": (40000, 45500, 52000),
    "G2": (44000, 51000, 59000),
    "G3": (54000, 62500, 72000),
    "G4": (67000, 78000, 90000),
    "G5": (80000, 93000, 107000),
    "G6": (96000, 111000, 128000),
    "G7": (120000, 141000, 163000),
    "G8": (180000, 210000, 245000),
}


@dataclass(frozen=True)
class DemoGoal:
    """A goal with its key results: (title, kind, start, target, unit)."""

    title: str
    why: str
    weight: Decimal
    key_results: list[tuple[str, str, str, str, str]] = field(default_factory=list)


def _goal(title: str, why: str, weight: int, *key_results: tuple[str, str, str, str, str]) -> DemoGoal:
    return DemoGoal(title, why, Decimal(weight), list(key_results))


GOALS: dict[str, list[DemoGoal]] = {
    "Engineering": [
        _goal(
            "Halve the drift of the M4 spectrometer",
            "Two large customers measure overnight and lose runs to drift.",
            40,
            ("Drift over eight hours", "decrease", "1.8", "0.9", "nm"),
            ("Units re-tested", "increase", "0", "24", "units"),
        ),
        _goal(
            "Ship the calibration wizard",
            "Field service spends a third of each visit on steps a customer could do.",
            35,
            ("Wizard released to all customers", "reach", "0", "1", ""),
            ("Visits for calibration alone", "decrease", "42", "20", "a month"),
        ),
        _goal(
            "Bring one colleague into optical simulation",
            "Today one person can run the model; that is one too few.",
            25,
            ("Simulations run by somebody else", "increase", "0", "6", "runs"),
        ),
    ],
    "Production": [
        _goal(
            "Cut rework in final assembly",
            "Every reworked unit costs three hours and a promise to a customer.",
            45,
            ("Units reworked", "decrease", "7.5", "3", "%"),
            ("Root causes closed", "increase", "0", "8", ""),
        ),
        _goal(
            "A safe line",
            "Nobody gets hurt. The near misses we report are the accidents we avoid.",
            25,
            ("Accidents", "zero", "0", "0", ""),
            ("Near misses reported", "increase", "4", "20", ""),
        ),
        _goal(
            "Learn a second station",
            "We stop when one person is away; with two per station we do not.",
            30,
            ("Stations signed off", "increase", "1", "2", ""),
        ),
    ],
    "Sales": [
        _goal(
            "Win two laboratory groups",
            "Groups buy for ten sites at once and stay for years.",
            40,
            ("Groups signed", "increase", "0", "2", ""),
            ("Qualified first meetings", "increase", "0", "15", ""),
        ),
        _goal(
            "Renew early",
            "A renewal agreed before autumn is a renewal without a discount.",
            35,
            ("Renewed before the last quarter", "increase", "20", "70", "%"),
        ),
        _goal(
            "Answer within a working day",
            "Customers forgive a fault. They do not forgive silence.",
            25,
            ("Questions answered in a day", "keep", "80", "95", "%"),
        ),
    ],
    "People and Finance": [
        _goal(
            "Close the month in four days",
            "Decisions wait for figures, and figures wait for us.",
            50,
            ("Working days to close", "decrease", "8", "4", "days"),
        ),
        _goal(
            "A hand-over nobody fears",
            "When people change teams, their goals and promises should not fall between two desks.",
            50,
            ("Moves with a written hand-over", "increase", "10", "90", "%"),
            ("Guide published", "reach", "0", "1", ""),
        ),
    ],
}

COMPANY_GOALS = [
    ("Be the instrument a laboratory trusts overnight", "Reliability is what we are bought for."),
    ("Ninety in a hundred customers would choose us again", "The best forecast we have."),
]

NOTES = [
    "Second batch is better than I hoped; the new mount holds.",
    "Lost a week to the late delivery, the plan still stands.",
    "Measured three times to be sure. It is real.",
    "Talked it through with the lab, next step is theirs.",
    "Half way. The second half is the harder one.",
    "Paused while I covered for a colleague; picking it up on Monday.",
    "The numbers are flat, but we now know why.",
    "Customer signed off the trial. Very good week.",
]

# A thread reads as a conversation: (who, text), m for the manager, e for the employee.
THREADS = [
    [
        (
            "m",
            "I would rather we aim at drift over a whole night than at peak accuracy. What would you need for that?",
        ),
        (
            "e",
            (
                "A climate chamber for two weeks, and Sami for the test set-up. Without "
                "the chamber I can promise 1.2 at best."
            ),
        ),
        ("m", "The chamber is booked from the 14th. I will ask for Sami; let us put both into the check-in."),
    ],
    [
        ("e", "The target for rework was set before the new supplier. Can we look at it again?"),
        (
            "m",
            "Yes. Bring last month's figures; if the parts are the cause, we change the goal, not the story.",
        ),
    ],
    [
        (
            "m",
            (
                "Two customers heard nothing from us for a week in September. I want to tell "
                "you now, and not in a form in December."
            ),
        ),
        ("e", "That was me, I had no cover during the fair. I should have asked for it."),
        ("m", "Then let us agree on cover before each trip. I will arrange it for the next one."),
    ],
    [
        ("m", "Your hand-over notes saved the Vienna visit. Others should see how you do that."),
        ("e", "Thank you. I can show it in the Thursday round if that helps."),
    ],
    [
        ("e", "I would like to learn the simulation side. Is there room for it this year?"),
        ("m", "There is from March. Take one afternoon a week, and tell me if the week eats it."),
    ],
]

AGENDA_MANAGER = [
    "What slowed you down since last time?",
    "Priorities for the next two weeks",
    "Feedback from the Vienna visit",
    "Holiday cover in December",
    "What would make the second half of the goal easier?",
]
AGENDA_EMPLOYEE = [
    "Access to the climate chamber",
    "The supplier's new drawing",
    "A course on uncertainty budgets",
    "Who takes the Thursday round",
    "Feedback on my report to the board",
]
ACTIONS = [
    "Write up the overnight series and send it round",
    "Ask two customers for their drift logs",
    "Draft the checklist for the second station",
    "Prepare the renewal list by region",
]
PROMISES = [
    "Get the climate chamber for two weeks",
    "Speak with the supplier about the late drawings",
    "Free one afternoon a week for the simulation",
    "Find cover for the fair in spring",
]
FEEDBACK = [
    (
        "praise",
        "You stayed with the customer until the unit ran, and wrote down what we learned. That helped all of us.",
    ),
    ("praise", "The way you explained the uncertainty budget to the apprentices was the best I have heard."),
    (
        "suggestion",
        "In the review you answered before the question was out. Two breaths more, and people will bring you more.",
    ),
    ("praise", "Thank you for taking the night shift at short notice. We shipped because of it."),
    (
        "suggestion",
        "Your reports are right but long. A first page with the three numbers would reach more readers.",
    ),
    ("upward", "When priorities change on Friday, a line on why would help me to explain it to the team."),
    ("praise", "You noticed the wrong batch before anybody else did. That saved a recall."),
]
CONTRIBUTIONS = [
    "Translated the service manual for the new site, on top of my own work.",
    "Covered the support line during the fair so that the others could travel.",
    "Set up the shared sheet of test fixtures that three teams use now.",
]


@dataclass(frozen=True)
class Words:
    """What is written about a year in one division: by oneself, by the manager, and what came of it."""

    own: str
    manager: str
    forward: str
    shortcoming: str
    achievements: tuple[str, str]


WORDS = {
    "Engineering": Words(
        own=(
            "The overnight series was the hardest piece of work I have done here. The first half went slower than "
            "planned, because I trusted the old fixture for too long. Since the new mount we are below one "
            "nanometre in most runs, and two customers have confirmed it on their own instruments."
        ),
        manager=(
            "Delivered what was agreed, under conditions that were harder than we thought in spring. The written "
            "hand-overs have become the standard of the team. Next: delegate the routine measurements, so that "
            "there is room for the simulation."
        ),
        forward="Run the simulation on my own by summer, and teach one colleague.",
        shortcoming="Help was asked for late when the old fixture failed.",
        achievements=(
            "Drift of the M4 halved and confirmed by two customers",
            "The shared fixture sheet, used by three teams",
        ),
    ),
    "Production": Words(
        own=(
            "I am proud that rework came down although we changed the supplier in the middle of the year. What I "
            "would do differently: ask for help in the first week, not in the fourth."
        ),
        manager=(
            "Reliable, careful, and the person others ask first. The goal on rework was missed by a little; the "
            "causes are known and written down. I should have pushed the supplier earlier, and said so in our "
            "check-in."
        ),
        forward="Sign off on the second station and take over the near-miss round.",
        shortcoming="The second station is not signed off yet.",
        achievements=(
            "Rework down in spite of a change of supplier",
            "Twenty near misses reported, and no accident",
        ),
    ),
    "Sales": Words(
        own=(
            "Two groups signed, one of them after a trial that almost failed. I learned to bring service into the "
            "room early. Where I fell short is answering in time while travelling."
        ),
        manager=(
            "A strong result with customers and an honest eye on the weak spot: silence during travel. We agreed on "
            "cover before each trip, and the last quarter shows that it works."
        ),
        forward="Lead one account group from first meeting to renewal.",
        shortcoming="Questions stayed unanswered during trips in September.",
        achievements=(
            "First laboratory group signed after a difficult trial",
            "Renewals agreed before autumn, without discounts",
        ),
    ),
    "People and Finance": Words(
        own=(
            "The month closes in five days now, two of them by rules that anybody can read. The hand-over guide "
            "took me longer than it should have, because I wrote it alone before I showed it to those who use it."
        ),
        manager=(
            "Figures that people trust, and a guide that two teams already follow. What I would like to see next "
            "is drafts shown on the third day and not in the third week; we talked about it in spring and again "
            "in autumn."
        ),
        forward="Take the payroll run through one year end, with somebody at my side.",
        shortcoming="The guide was shown to its readers late.",
        achievements=(
            "The month closes in five working days instead of eight",
            "Nine in ten moves now have a written hand-over",
        ),
    ),
}
STEPS = [
    ("Course on uncertainty budgets", "Course fee and two days"),
    ("Run three simulations with Ottilie", "One afternoon a week"),
    ("Present in the Thursday round", ""),
    ("Shadow one renewal from start to signature", "Introduction by the team lead"),
]
APPEAL = (
    "The rating counts the September complaints against me. I was on agreed leave "
    "in the second of those weeks, and the "
    "cover we had planned did not happen. Please look at it again."
)
RESTRAINT_FACTS = (
    "Two customer questions in September stayed without an answer for more than five working days. "
    "This was named in the conversation of the same month."
)
RESTRAINT_ANSWER = (
    "Correct for the first one. In the second week I was on agreed leave and my cover was ill; "
    "the mailbox rule was set."
)
