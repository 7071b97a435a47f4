"""What the units of the demo company aim at: the organisation, its divisions, and each team with goals of its own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

# How much a person's first, second and third goal weigh.
WEIGHTS = (Decimal(40), Decimal(35), Decimal(25))


@dataclass(frozen=True)
class DemoGoal:
    """A goal with its key results: (title, kind, start, target, unit); `for_job` keeps it to those with that word."""

    title: str
    why: str
    key_results: tuple[tuple[str, str, str, str, str], ...] = ()
    for_job: str = ""


def _goal(
    title: str, why: str, *key_results: tuple[str, str, str, str, str], job: str = ""
) -> DemoGoal:
    return DemoGoal(title, why, key_results, job)


COMPANY_GOALS = [
    _goal(
        "Be the instrument a laboratory trusts overnight",
        "Reliability is what we are bought for.",
        ("Runs lost to our fault", "decrease", "6", "3", "in a hundred"),
    ),
    _goal(
        "Ninety in a hundred customers would choose us again",
        "The best forecast we have.",
        ("Would choose us again", "increase", "81", "90", "%"),
    ),
    _goal(
        "A company that runs on clear figures and fair rules",
        "People do good work where they know what counts.",
        ("Would recommend us as a place to work", "increase", "68", "80", "%"),
    ),
]

# Of each division: its goals, and the goal of the company (by its place) to which each contributes.
UNIT_GOALS: dict[str, list[tuple[DemoGoal, int]]] = {
    "Engineering": [
        (
            _goal(
                "The M4 runs a whole night within one nanometre",
                "Two large customers measure overnight and lose runs to drift.",
                ("Nights within one nanometre", "increase", "55", "95", "%"),
            ),
            0,
        ),
        (
            _goal(
                "Customers install without a visit",
                "A third of our visits are for steps that a customer could do.",
                ("Installations without a visit", "increase", "10", "50", "%"),
            ),
            1,
        ),
    ],
    "Production": [
        (
            _goal(
                "Right the first time",
                "A reworked unit costs three hours and a promise to a customer.",
                ("Units without rework", "increase", "92.5", "97", "%"),
            ),
            0,
        ),
        (
            _goal(
                "Ship on the day we named",
                "Laboratories plan their people around our date.",
                ("Shipped on the day", "increase", "84", "95", "%"),
            ),
            1,
        ),
    ],
    "Sales": [
        (
            _goal(
                "Grow with laboratory groups",
                "Groups buy for ten sites at once and stay for years.",
                ("Share of orders from groups", "increase", "18", "30", "%"),
            ),
            1,
        ),
        (
            _goal(
                "Nobody waits for an answer",
                "Customers forgive a fault. They do not forgive silence.",
                ("Answered within a working day", "increase", "78", "95", "%"),
            ),
            1,
        ),
    ],
    "People and Finance": [
        (
            _goal(
                "Figures by the fourth working day",
                "Decisions wait for figures, and figures wait for us.",
                ("Working days to close", "decrease", "8", "4", "days"),
            ),
            2,
        ),
        (
            _goal(
                "Good people come, and stay",
                "Every unplanned leaver costs a team half a year.",
                ("Unplanned leavers", "decrease", "11", "7", "%"),
            ),
            2,
        ),
    ],
}

# Of each division, the goals of its head.
HEADS: dict[str, list[DemoGoal]] = {
    "Engineering": [
        _goal(
            "Bring the M5 concept to a decision",
            "The board decides once, and it should have everything on the table.",
            ("Open technical risks", "decrease", "9", "2", ""),
            ("Decision paper handed in", "reach", "0", "1", ""),
        ),
        _goal(
            "Shorten the way from fault to fix",
            "A fault that stays open for a quarter is met by every customer.",
            ("Days from report to fix, median", "decrease", "46", "25", "days"),
        ),
        _goal(
            "Two successors for every lead",
            "Today one team stands still when its lead is away.",
            ("Leads with a deputy who has covered", "increase", "0", "2", ""),
        ),
    ],
    "Production": [
        _goal(
            "Move the line to two suppliers for optics",
            "One late supplier stopped us for eleven days.",
            ("Parts with a second source", "increase", "20", "60", "%"),
        ),
        _goal(
            "Lower the cost of a unit without a layoff",
            "The M4 must earn what the M5 costs.",
            ("Cost of an M4", "decrease", "100", "94", "% of last year"),
        ),
        _goal(
            "No accident, and more near misses reported",
            "The near misses we hear of are the accidents we avoid.",
            ("Accidents", "zero", "0", "0", ""),
            ("Near misses reported", "increase", "35", "80", ""),
        ),
    ],
    "Sales": [
        _goal(
            "Reach the order plan without discounts at the end of a quarter",
            "A discount in December is remembered every December.",
            ("Orders against the plan", "increase", "0", "100", "%"),
            ("Average discount", "decrease", "9.5", "6", "%"),
        ),
        _goal(
            "One forecast that production can plan by",
            "Too high costs stock, too low costs customers.",
            ("Forecast off by, per quarter", "decrease", "24", "12", "%"),
        ),
        _goal(
            "Service as a reason to buy",
            "Customers who know their engineer renew.",
            ("Service contracts on new units", "increase", "45", "65", "%"),
        ),
    ],
    "People and Finance": [
        _goal(
            "A pay structure that anybody can explain",
            "People accept a number whose way they can follow.",
            ("Jobs with a published range", "increase", "60", "100", "%"),
        ),
        _goal(
            "Fill open positions before the team feels the gap",
            "Half of our overtime is an empty chair.",
            ("Days to fill a position", "decrease", "74", "50", "days"),
        ),
        _goal(
            "Be ready for the audit at any time",
            "What is in order all year needs no December.",
            ("Findings from last year still open", "decrease", "12", "0", ""),
        ),
    ],
}

# Every lead has these two to choose from beside goals of the team.
LEADING = [
    _goal(
        "Everybody in the team has a good conversation every two weeks",
        "What is said early is small.",
        ("Check-ins held of those planned", "increase", "60", "90", "%"),
    ),
    _goal(
        "Two people for every task that one can do today",
        "Nobody should have to cancel a holiday for us.",
        ("Tasks with a deputy", "increase", "40", "80", "%"),
    ),
]

TEAMS: dict[str, list[DemoGoal]] = {
    "Optics": [
        _goal(
            "Simulate before we mill",
            "Each prototype that we do not build saves three weeks.",
            ("Mounts simulated before the first cut", "increase", "10", "60", "%"),
        ),
        _goal(
            "Halve the drift of the M4 spectrometer",
            "Two large customers measure overnight and lose runs to drift.",
            ("Drift over eight hours", "decrease", "1.8", "0.9", "nm"),
            ("Units re-tested", "increase", "0", "24", "units"),
        ),
        _goal(
            "Bring one colleague into optical simulation",
            "Today one person can run the model; that is one too few.",
            ("Simulations run by somebody else", "increase", "0", "6", "runs"),
        ),
        _goal(
            "A light source that lasts two years",
            "The lamp is the part that customers change most.",
            ("Hours until half brightness", "increase", "6000", "9000", "hours"),
        ),
        _goal(
            "Stray light below what customers can see",
            "It decides every comparison with the competition.",
            ("Stray light at 340 nm", "decrease", "0.08", "0.05", "%"),
        ),
    ],
    "Firmware": [
        _goal(
            "Ship the calibration wizard",
            "Field service spends a third of each visit on steps that a customer could do.",
            ("Wizard released to all customers", "reach", "0", "1", ""),
            ("Visits for calibration alone", "decrease", "42", "20", "a month"),
        ),
        _goal(
            "Updates that never brick a unit",
            "One failed update costs more trust than ten good ones earn.",
            ("Failed updates", "decrease", "14", "4", "in a thousand"),
        ),
        _goal(
            "Start in under twenty seconds",
            "Shift workers switch on and wait.",
            ("Time to first measurement", "decrease", "48", "20", "s"),
        ),
        _goal(
            "Test on the bench what we tested by hand",
            "Each release costs four people two days.",
            ("Tests that run unattended", "increase", "35", "80", "%"),
        ),
        _goal(
            "Close old security findings",
            "Two customers make it a condition of renewal.",
            ("Findings older than ninety days", "decrease", "17", "2", ""),
        ),
    ],
    "Assembly": [
        _goal(
            "Cut rework in final assembly",
            "Every reworked unit costs three hours and a promise to a customer.",
            ("Units reworked", "decrease", "7.5", "3", "%"),
            ("Root causes closed", "increase", "0", "8", ""),
        ),
        _goal(
            "A safe line",
            "Nobody gets hurt. The near misses we report are the accidents we avoid.",
            ("Near misses reported", "increase", "4", "20", ""),
        ),
        _goal(
            "Learn a second station",
            "We stop when one person is away; with two per station we do not.",
            ("Stations signed off", "increase", "1", "3", ""),
        ),
        _goal(
            "Shorten the change from M3 to M4",
            "Each change costs the line half a shift.",
            ("Minutes for a change", "decrease", "190", "90", "minutes"),
        ),
        _goal(
            "Keep the stations tidy enough for a visit any day",
            "What has its place is not looked for.",
            ("Points in the weekly round", "increase", "62", "85", "points"),
        ),
        _goal(
            "Catch faults before they leave the line",
            "A fault found at the customer costs forty times as much.",
            ("Faults found after packing", "decrease", "21", "8", ""),
            job="Inspector",
        ),
    ],
    "Calibration Lab": [
        _goal(
            "Certificates on the day of the measurement",
            "The unit stands packed and waits for a paper.",
            ("Certificates on the same day", "increase", "48", "90", "%"),
        ),
        _goal(
            "Know our uncertainty and halve it",
            "What we cannot state we cannot sell to a reference laboratory.",
            ("Uncertainty of the reference", "decrease", "0.42", "0.21", "nm"),
        ),
        _goal(
            "Keep the accreditation without a finding",
            "A finding costs a quarter of paperwork.",
            ("Open findings", "decrease", "5", "0", ""),
        ),
        _goal(
            "Write down the procedures that live in heads",
            "Two of us retire within three years.",
            ("Procedures written and tried by another", "increase", "2", "12", ""),
        ),
        _goal(
            "Clear the queue of returned units",
            "Customers lend from each other while they wait.",
            ("Days in the queue, median", "decrease", "19", "8", "days"),
        ),
    ],
    "Supply": [
        _goal(
            "No stop of the line for a missing part",
            "Eleven days stood still for a screw.",
            ("Hours stood still", "decrease", "88", "20", "hours"),
        ),
        _goal(
            "Less money on the shelf",
            "Stock that waits a year is a loan to nobody.",
            ("Stock older than a year", "decrease", "640", "400", "thousand EUR"),
        ),
        _goal(
            "Prices agreed for two years",
            "Three parts make half of the cost of an M4.",
            ("Parts with a two-year price", "increase", "6", "18", "parts"),
            job="Buyer",
        ),
        _goal(
            "Suppliers who deliver on their day",
            "We can only keep the date that they keep.",
            ("Deliveries on the day", "increase", "76", "92", "%"),
        ),
        _goal(
            "Counted stock is true stock",
            "A plan on wrong numbers is a wish.",
            ("Places where count and system agree", "increase", "88", "98", "%"),
        ),
        _goal(
            "Orders picked without a mistake",
            "A wrong part is found three stations later.",
            ("Wrong picks", "decrease", "31", "10", "a month"),
            job="Warehouse",
        ),
    ],
    "Key Accounts": [
        _goal(
            "Win two laboratory groups",
            "Groups buy for ten sites at once and stay for years.",
            ("Groups signed", "increase", "0", "2", ""),
            ("Qualified first meetings", "increase", "0", "15", ""),
        ),
        _goal(
            "Answer within a working day",
            "Customers forgive a fault. They do not forgive silence.",
            ("Questions answered in a day", "increase", "70", "95", "%"),
        ),
        _goal(
            "Renew early",
            "A renewal agreed before autumn is a renewal without a discount.",
            ("Renewed before the last quarter", "increase", "20", "70", "%"),
        ),
        _goal(
            "Sell the service contract with the unit",
            "Who buys both stays three years longer.",
            ("Units sold with a contract", "increase", "45", "65", "%"),
        ),
        _goal(
            "Know every decider in the ten largest accounts",
            "When one person leaves, we start from nothing.",
            ("Accounts with three contacts or more", "increase", "3", "10", ""),
        ),
        _goal(
            "Trials that end in an order",
            "A trial costs us two weeks of an engineer.",
            ("Trials that became orders", "increase", "40", "65", "%"),
            job="Sales Engineer",
        ),
    ],
    "Service": [
        _goal(
            "Repair at the first visit",
            "The second visit is the one that customers talk about.",
            ("Repaired at the first visit", "increase", "68", "85", "%"),
            job="Field",
        ),
        _goal(
            "Solve it on the phone",
            "Every third visit was a setting.",
            ("Cases solved without a visit", "increase", "52", "70", "%"),
        ),
        _goal(
            "First answer within two hours",
            "A laboratory that stands still counts minutes.",
            ("Hours to the first answer, median", "decrease", "5.5", "2", "hours"),
            job="Support",
        ),
        _goal(
            "Write what we learn into the knowledge base",
            "We solve the same fault five times a month.",
            ("Articles used by others", "increase", "0", "24", ""),
        ),
        _goal(
            "Customers who thank us",
            "They are asked after each case, in one question.",
            ("Satisfied or very satisfied", "increase", "82", "92", "%"),
        ),
        _goal(
            "Maintenance before it breaks",
            "A planned visit costs half of an urgent one.",
            ("Visits that were planned", "increase", "35", "60", "%"),
        ),
    ],
    "People": [
        _goal(
            "A hand-over nobody fears",
            "When people change teams, their goals and promises should not fall between two desks.",
            ("Moves with a written hand-over", "increase", "10", "90", "%"),
        ),
        _goal(
            "A first month that makes people stay",
            "Half of those who leave early decide in week three.",
            ("New colleagues with a plan on day one", "increase", "40", "100", "%"),
        ),
        _goal(
            "Fill technical positions in fifty days",
            "Half of our overtime is an empty chair.",
            ("Days to fill a position", "decrease", "74", "50", "days"),
        ),
        _goal(
            "Every manager can hold a hard conversation",
            "What is not said in spring is a surprise in winter.",
            ("Managers through the workshop", "increase", "2", "14", "managers"),
        ),
        _goal(
            "Contracts and letters without a mistake",
            "A wrong date in a letter costs more trust than a late one.",
            ("Letters that came back", "decrease", "26", "6", ""),
        ),
    ],
    "Finance": [
        _goal(
            "Close the month in four days",
            "Decisions wait for figures, and figures wait for us.",
            ("Working days to close", "decrease", "8", "4", "days"),
        ),
        _goal(
            "Invoices paid on their day",
            "Late payment loses the discount and the goodwill.",
            ("Invoices paid on time", "increase", "81", "96", "%"),
        ),
        _goal(
            "Get paid within forty days",
            "Our customers are a bank that nobody chose.",
            ("Days until we are paid", "decrease", "57", "40", "days"),
        ),
        _goal(
            "A payroll run without corrections",
            "Nobody should have to check their own pay.",
            ("Corrections after the run", "decrease", "34", "8", ""),
        ),
        _goal(
            "Cost centres that their owners understand",
            "Who can read the report saves by themselves.",
            ("Owners who read their report monthly", "increase", "30", "80", "%"),
        ),
    ],
    "IT": [
        _goal(
            "Systems that are there when the shift begins",
            "The line stands when the order system does.",
            ("Hours down in working time", "decrease", "26", "6", "hours"),
        ),
        _goal(
            "Back from a backup within four hours",
            "A backup that nobody has restored is a hope.",
            ("Systems restored in a test", "increase", "2", "12", ""),
        ),
        _goal(
            "Requests answered the same day",
            "People wait for a password with folded hands.",
            ("Requests solved the same day", "increase", "58", "85", "%"),
        ),
        _goal(
            "A second factor for everybody",
            "Three of four break-ins begin with a password.",
            ("Accounts with a second factor", "increase", "35", "100", "%"),
        ),
        _goal(
            "Old machines out of the network",
            "What gets no updates opens the door for others.",
            ("Machines without updates", "decrease", "48", "5", ""),
        ),
    ],
}


def goals_for(team: str, job: str, place: int) -> list[DemoGoal]:
    """The three goals of one person: what fits the job alone first, the rest as no neighbour has them.

    `place` is the person's place in the team; 0 leads it. A head is asked for by the name of the division.
    """
    if team in HEADS:
        return HEADS[team]
    known = TEAMS[team]
    own = [goal for goal in known if goal.for_job and goal.for_job in job]
    general = [goal for goal in known if not goal.for_job]
    if place == 0:
        own = [LEADING[len(team) % 2]]
    choices = list(combinations(general, 3 - len(own)))
    # Seven is prime to ten, the number of choices: neighbours differ, and all choices come in turn.
    chosen = choices[place * 7 % len(choices)]
    return [*chosen, *own] if place == 0 else [*own, *chosen]
