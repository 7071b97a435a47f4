"""What the people of the demo company are called and what they write. All of it is made up."""

from __future__ import annotations

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
        "IT": [
            ("Tarek Mansour", "Team Lead, IT", "G5", 89000, "m"),
            ("Ulla Nyberg", "System Administrator", "G4", 74500, "f"),
            ("Viktor Hale", "Service Desk", "G2", 51500, "m"),
        ],
    },
}
CHIEF = ("Astrid Holm", "Chief Executive", "G8", 210000, "f")
WRITTEN = frozenset(
    [CHIEF[0], *(row[0] for teams in UNITS.values() for team in teams.values() for row in team)]
)
ZONES = {"Sales": "America/New_York", "Production": "Europe/Warsaw"}

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


# Beside a measured value: as long as it goes well, and when it does not.
GOING_WELL = [
    "Better than I hoped; the change holds.",
    "Measured three times to be sure. It is real.",
    "Talked it through with those who wait for it; the next step is theirs.",
    "Half way. The second half is the harder one.",
    "A very good week.",
]
GOING_BADLY = [
    "Lost a week to a late delivery; I do not see yet how to make it up.",
    "The numbers are flat, but we now know why.",
    "Paused while I covered for a colleague; picking it up on Monday.",
    "Slower than planned. I have put it on the agenda of our check-in.",
]

# What was written down in a check-in; {goal} is what they looked at.
MEETING_NOTES = [
    "We looked at “{goal}”: the figures are in, and the next step has an owner and a day.",
    "Most of the time went into “{goal}”. We agreed what to leave out, so that it gets done.",
    "“{goal}” moves. What stands in the way is named, and who clears it.",
    "Short today. “{goal}” goes on as agreed; the rest is on the list.",
]

FEEDBACK = [
    (
        "praise",
        "You stayed with the customer until the unit ran, and wrote down what we learned. That helped all of us.",
    ),
    (
        "praise",
        "The way you explained the uncertainty budget to the apprentices was the best I have heard.",
    ),
    (
        "suggestion",
        "In the review you answered before the question was out. Two breaths more, and people will bring you more.",
    ),
    ("praise", "Thank you for taking the night shift at short notice. We shipped because of it."),
    (
        "suggestion",
        "Your reports are right but long. A first page with the three numbers would reach more readers.",
    ),
    (
        "upward",
        "When priorities change on Friday, a line on why would help me to explain it to the team.",
    ),
    ("praise", "You noticed the wrong batch before anybody else did. That saved a recall."),
]
CONTRIBUTIONS = [
    "Translated the service manual for the new site, on top of my own work.",
    "Covered the support line during the fair so that the others could travel.",
    "Set up the shared sheet of test fixtures that three teams use now.",
]

APPEAL = (
    "The rating counts the complaints of {month} against me. I was on agreed leave in the second of those "
    "weeks, and the cover that we had planned did not happen. Please look at it again."
)
RESTRAINT_FACTS = (
    "Two customer questions in {month} stayed without an answer for more than five working days. "
    "This was named in the conversation of {day}."
)
RESTRAINT_ANSWER = (
    "Correct for the first one. In the second week I was on agreed leave and my cover was ill; "
    "the mailbox rule was set."
)
