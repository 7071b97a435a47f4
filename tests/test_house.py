"""The rules of the house that no other tool checks. Why they hold is told in docs/."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("feedback", "goals", "appraisals", "incentives", "evaluations")
FLOOR = ("pmcycle.people", "pmcycle.activity", "pmcycle.cycles", "pmcycle.home")
APPS = (*STAGES, *FLOOR)
# The rooms that one app may enter in another.
OPEN_ROOMS = {"models", "actions", "rules", "apps"}
# Doors more: a view that has left a row wakes its worker, and leads to it; every API stands on the same scopes,
# versions and keys.
OPEN_DOORS = {
    "pmcycle.activity.given_back.led_to",
    "pmcycle.activity.once.once",
    "pmcycle.activity.once.sign_in_once",
    "pmcycle.activity.tasks.wake",
    "pmcycle.people.filters.Filters",
    "pmcycle.people.api.ScopedViewSet",
    "pmcycle.people.api.VersionedSerializer",
}
# The files that gather from every app, each in one table; all they do is name what they gather.
GATHERING = {"pmcycle/urls.py", "pmcycle/api.py", "pmcycle/stages.py"}
TOP_LEVEL = {
    "manage.py",
    "pyproject.toml",
    "docker-compose.yml",
    "Caddyfile",
    "README.md",
    "dev",
    "Dockerfile",
    "LICENSE",
    "CHANGELOG.md",
    "SECURITY.md",
    "requirements.lock",
    "requirements-runtime.lock",
    "pmcycle",
    "goals",
    "appraisals",
    "incentives",
    "evaluations",
    "feedback",
    "templates",
    "tests",
    "tools",
    "docs",
    "static",
    "locale",
    "frontend",
    ".ci",
    ".dockerignore",
    ".editorconfig",
    ".env.example",
    ".gitattributes",
    ".gitignore",
}

PYTHON_FILES = sorted(
    path
    for app in (*STAGES, "pmcycle")
    for path in (ROOT / app).rglob("*.py")
    if "migrations" not in path.parts
)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def app_of(module: str) -> str | None:
    """Return the app that a dotted name lies in, if it is one of ours."""
    return next((app for app in APPS if module == app or module.startswith(f"{app}.")), None)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the full dotted name of everything a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


@pytest.mark.parametrize("path", PYTHON_FILES, ids=name_of)
def test_apps_enter_only_the_open_rooms_of_other_apps(path: Path) -> None:
    if name_of(path) in GATHERING:
        return
    here = app_of(name_of(path).removesuffix(".py").replace("/", "."))
    for line, module in imports(path):
        app = app_of(module)
        if app is None or app == here or module in OPEN_DOORS:
            continue
        room = module.removeprefix(app).strip(".").split(".")[0]
        assert room in OPEN_ROOMS, f"{name_of(path)}:{line} imports {module}"


@pytest.mark.parametrize("path", PYTHON_FILES, ids=name_of)
def test_code_keeps_out_what_hides_control_flow(path: Path) -> None:
    assert path.name not in ("utils.py", "helpers.py", "signals.py"), (
        "name the file after its subject"
    )
    tree = ast.parse(path.read_text())
    for line, module in imports(path):
        assert not module.startswith(("django.db.models.signals", "django.dispatch")), (
            f"signals at line {line}"
        )
        assert not module.startswith("django.contrib.admin"), (
            f"a way around the actions at line {line}"
        )
    for node in ast.walk(tree):
        if path.name == "models.py" or "models" in path.parts:
            named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "save"
            assert not named, f"save() overridden at line {getattr(node, 'lineno', 0)}"
        if path.name == "views.py" or "views" in path.parts:
            assert not isinstance(node, ast.ClassDef), (
                f"views are functions: line {getattr(node, 'lineno', 0)}"
            )


@pytest.mark.parametrize("path", PYTHON_FILES, ids=name_of)
def test_mail_leaves_by_the_outbox_alone(path: Path) -> None:
    if name_of(path) == "pmcycle/activity/actions/delivery.py":
        return
    for line, module in imports(path):
        assert not module.startswith(("django.core.mail", "smtplib")), (
            f"line {line}: leave a notice"
        )


@pytest.mark.parametrize("path", [p for p in PYTHON_FILES if p.name == "rules.py"], ids=name_of)
def test_rules_take_plain_values(path: Path) -> None:
    for line, module in imports(path):
        allowed = not module.startswith(("django.", "rest_framework", "celery"))
        assert allowed or module.startswith("django.utils.translation"), (
            f"line {line} imports {module}"
        )
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("now", "today", "utcnow"), (
                f"rules are told the time: line {node.lineno}"
            )


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_section_named_by_its_heading_is_a_region(path: Path) -> None:
    """While a page comes in, the heading stands there before its words: a section without a role has no name
    then, and nothing without a name may carry `aria-labelledby`."""
    for section in re.findall(r"<section\b[^>]*>", path.read_text()):
        assert "aria-labelledby" not in section or 'role="region"' in section, section


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_templates_hold_neither_style_nor_script(path: Path) -> None:
    if "mail" in path.relative_to(ROOT / "templates").parts:
        return  # mail programs know no style sheets; css-inline writes the attributes
    # Django's own tags may hold anything, so they go first.
    text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", path.read_text(), flags=re.DOTALL)
    for tag in re.findall(r"<[a-zA-Z][^>]*>", text):
        assert not re.search(r"\sstyle\s*=", tag), f"inline style: {tag}"
        assert not re.search(r"\son[a-z]+\s*=", tag), f"inline handler: {tag}"
        assert "javascript:" not in tag.lower(), f"script address: {tag}"
    assert not re.search(r"<style\b", text), "a style element"
    for script in re.findall(r"<script\b[^>]*>.*?</script>", text, flags=re.DOTALL):
        assert re.search(r"\bsrc\b|type=\"(application/json|speculationrules)\"", script), (
            f"inline script: {script}"
        )


# Templates written before the rules of `docs/ui.md`, each to be rewritten with its page. The list only shrinks.
OLD_TEMPLATES = (ROOT / "tests" / "old_templates.txt").read_text().split()


def faults_of(template: str) -> list[str]:
    """What keeps a template from being read like a page."""
    lines = template.split("\n")
    found = [f"{len(lines)} lines: make fragments"] if len(lines) > 101 else []
    for number, line in enumerate(lines, 1):
        if len(line) > 120:
            found.append(f"line {number} has {len(line)} columns")
        if len(line) - len(line.lstrip()) > 24:
            found.append(f"line {number} stands {len(line) - len(line.lstrip())} columns in")
        if re.search(r"{%-? *(translate|url) [^%]* as ", line):
            found.append(
                f"line {number} makes a variable for one use: write _(…), or the name of the URL, in the tag"
            )
    if "{% tablewrap" in template and "colspan" not in template and "{% table " not in template:
        found.append("a table by hand: declare its columns")
    if "{% block breadcrumbs" in template and "{% extends" in template:
        found.append("a head by hand: use the tag page")
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_templates_read_like_pages(path: Path) -> None:
    is_old = name_of(path) in OLD_TEMPLATES
    faults = faults_of(path.read_text())
    if is_old:
        assert faults, f"{name_of(path)} reads well now: take it off the list"
    else:
        assert not faults, "\n".join(faults)


def test_the_list_of_old_templates_names_templates() -> None:
    assert set(OLD_TEMPLATES) <= {name_of(path) for path in TEMPLATES}


def test_the_top_level_stays_small() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    found = {line.split("/")[0] for line in listed if line}
    assert found <= TOP_LEVEL, f"a home for {sorted(found - TOP_LEVEL)} is in an app or in pmcycle/"


# How a program comes to a page, or asks for one, other than by a click. Coming back to the same page is none of them.
TYPED = re.compile(
    r"\.goto\b|\.set_content\(|\.go_(back|forward)\(|\blocation\.(href|assign|replace)"
    r"|\.request\.(get|post|fetch)\(|urlopen"
)
# Where a browser opens its first page: home, or a link that a mail holds.
FIRST_PAGE = ("tests/journeys/conftest.py", 'page.goto(link or "/")')


def typed_addresses(name: str, text: str) -> list[str]:
    """The lines of a journey that come to a page by its address."""
    return [
        line.strip()
        for line in text.splitlines()
        if TYPED.search(line) and (name, line.strip()) != FIRST_PAGE
    ]


def test_journeys_follow_links_and_type_no_address() -> None:
    files = {
        name_of(path): path.read_text() for path in sorted((ROOT / "tests/journeys").rglob("*.py"))
    }
    assert FIRST_PAGE[1] in files[FIRST_PAGE[0]]
    for name, text in files.items():
        assert typed_addresses(name, text) == [], f"{name}: add the link that a person would click"


@pytest.mark.parametrize(
    "line",
    [
        'page.goto("/goals/")',
        "phone.page.goto(path)",
        "page.evaluate(\"location.href = '/goals/'\")",
        'page.request.get("/goals/1/pdf/")',
        'page.goto(link or "/")',
        "open_it = page.goto",
        "page.go_back()",
    ],
)
def test_an_address_typed_in_a_journey_is_noticed(line: str) -> None:
    assert typed_addresses("tests/journeys/test_goals.py", f"def test_it():\n    {line}\n") == [
        line
    ]


@pytest.mark.parametrize("path", PYTHON_FILES, ids=name_of)
def test_what_may_be_there_already_is_named(path: Path) -> None:
    """`ON CONFLICT DO NOTHING` without a target passes over any clash, that of two keys too."""
    text = path.read_text()
    assert "ignore_conflicts=True" not in text, "use `insert_new` with the index that may clash"
    assert not re.search(r"ON CONFLICT\s+DO", text), "name what may clash"


# Where an instant's date is taken by other means than `pmcycle.days`, and of what.
OTHER_DATES = {
    "pmcycle/ui/formats.py": "the day that a reader reads, in the active zone",
    "feedback/rules.py": "a slot of a recurrence rule, local already",
    "pmcycle/people/rules/cells.py": "a cell of a sheet, which has no zone",
    "pmcycle/people/rules/workbook.py": "a cell of a sheet, which has no zone",
}
# A day that a statement takes where the server is, or in UTC.
DAY_IN_SQL = re.compile(
    r"\bcurrent_date\b|\blocaltimestamp\b|\bnow\(\)::date|at time zone 'utc'", re.IGNORECASE
)
UTC_IN_SQL = {
    "pmcycle/activity/actions/definitions.py": "the day of relations, since which the clock has not struck",
    "pmcycle/people/models/accounts.py": "the days of roles and deputies",
}
# What the day of relations (UTC) may be held against: days that say who is or leads whom, never a due day.
RELATION_DAYS = {"starts_on", "ends_on", "ended_on", "left_on", "hired_on", "effective_from"}


def dates_without_place(name: str, text: str) -> list[int]:
    """The lines of a file that ask what day it is without saying where."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            asked, args = node.func.attr, [*node.args, *node.keywords]
            is_taken = asked == "date" and not args and name not in OTHER_DATES
            if asked in ("today", "utcnow", "utcfromtimestamp", "localdate") or is_taken:
                found.append(node.lineno)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "TruncDate"
        ):
            found += [] if any(word.arg == "tzinfo" for word in node.keywords) else [node.lineno]
        if isinstance(node, ast.keyword) and node.arg and "__date" in node.arg:
            found.append(node.value.lineno)
        if isinstance(node, ast.Name) and node.id in ("Now", "TruncDay"):
            found.append(node.lineno)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "local_day"
        ):
            # The reader's day of an instant; of now it is today, which has a place of its own.
            asks = any(
                isinstance(one, ast.Attribute) and one.attr == "now" for one in ast.walk(node)
            )
            found += [node.lineno] if asks and name not in OTHER_DATES else []
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and name not in UTC_IN_SQL
        ):
            found += [node.lineno] if DAY_IN_SQL.search(node.value) else []
    return sorted(found)


def is_relation_day(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute | ast.Name) and (
        (node.attr if isinstance(node, ast.Attribute) else node.id) in RELATION_DAYS
    )


def due_days_judged_as_relations(text: str) -> list[int]:
    """The lines that hold the UTC day of `pmcycle.access.today` against anything but a relation's day."""

    def asks(node: ast.AST) -> bool:
        return any(
            isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "today"
            for one in ast.walk(node)
        )

    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            others = [side for side in sides if not asks(side)]
            if len(others) < len(sides) and not all(is_relation_day(side) for side in others):
                found.append(node.lineno)
        elif isinstance(node, ast.keyword) and node.arg and "__" in node.arg and asks(node.value):
            *path, lookup = node.arg.split("__")
            if lookup in ("lt", "lte", "gt", "gte") and path[-1] not in RELATION_DAYS:
                found.append(node.value.lineno)
    return found


@pytest.mark.parametrize("path", PYTHON_FILES, ids=name_of)
def test_a_day_has_a_place(path: Path) -> None:
    """What day it is, `pmcycle.days` alone knows: in a cycle's zone, at a person's, or in UTC for relations."""
    name = name_of(path)
    if name == "pmcycle/days.py":
        return
    assert dates_without_place(name, path.read_text()) == [], (
        f"{name}: ask pmcycle.days, which says where"
    )
    if name.startswith("pmcycle/home/demo/") or name == "pmcycle/kept.py":
        return
    assert due_days_judged_as_relations(path.read_text()) == [], f"{name}: judge it where it is due"


@pytest.mark.parametrize(
    ("line", "is_noticed"),
    [
        ("day = timezone.now().date()", True),
        ("day = datetime.now(UTC).date()", True),
        ("day = timezone.localdate()", True),
        ("day = date.today()", True),
        ("rows.filter(at__date__gte=first)", True),
        ("rows.annotate(day=TruncDate('at'))", True),
        ("if due_on < today(): pass", True),
        ("if not today() <= row.due_on <= today() + YEAR: pass", True),
        ("rows.filter(expires_on__gte=today())", True),
        ("today = today or local_day(timezone.now())", True),
        ("SINCE = \"(policy.since AT TIME ZONE 'UTC')::date\"", True),
        ('SQL = "due_on < CURRENT_DATE"', True),
        ('SINCE = "(policy.since AT TIME ZONE place.zone)::date"', False),
        ("rows.annotate(day=TruncDate('at', tzinfo=cycle.tzinfo))", False),
        ("if due_on < cycle.local_day(now): pass", False),
        ("if row.left_on is not None and row.left_on < today(): pass", False),
        ("rows.filter(Q(employee__left_on__gte=today()))", False),
    ],
)
def test_a_day_without_a_place_is_noticed(line: str, is_noticed: bool) -> None:
    assert (
        bool(dates_without_place("goals/actions.py", line) + due_days_judged_as_relations(line))
        == is_noticed
    )


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_due_day_on_a_page_names_its_zone(path: Path) -> None:
    """The zone of the cycle that set the day, or "" for a day of no cycle, judged where the reader is."""
    for day, zone in re.findall(r"{% due (\S+) ?(.*?) ?%}", path.read_text()):
        assert re.fullmatch(r"(\w+\.)*(due_)?zone|\"\"", zone), f"whose day is {day}?"


@pytest.mark.parametrize(
    "path",
    [p for p in PYTHON_FILES if {"forms", "views", "forms.py", "views.py"} & set(p.parts)],
    ids=name_of,
)
def test_numbers_that_people_type_are_read_in_one_way(path: Path) -> None:
    """By `pmcycle.ui.fields`, which shows back what it cannot be sure of."""
    text = path.read_text()
    assert not re.search(r"forms\.(Decimal|Float)Field|forms\.NumberInput\(attrs=\{\"step", text), (
        "NumberField"
    )
    assert '.replace(",", ".")' not in text, "read_number"
