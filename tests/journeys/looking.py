"""What a journey looks at besides its own steps: errors nobody should see, access for all, pictures."""

from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Response

from tests.plugin import pictures_dir

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = {"wide": (1280, 900), "phone": (390, 844)}
PARTS_OF_A_PAGE = ("stylesheet", "script", "image", "font")


class Watch:
    """Collects what went wrong in the pages it watches. A test that provokes an error clears
    `problems` itself."""

    def __init__(self, home: str) -> None:
        self.home = urlsplit(home).netloc
        self.problems: list[str] = []

    def follow(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on(
            "pageerror", lambda error: self.problems.append(f"script error on {page.url}: {error}")
        )
        page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        # The browser also reports each 4xx answer here; those are judged in _on_response.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console on {message.location.get('url', '?')}: {message.text}")

    def _on_response(self, response: Response) -> None:
        request = response.request
        place = urlsplit(response.url)
        if response.status >= 500 or (
            response.status >= 400 and request.resource_type in PARTS_OF_A_PAGE
        ):
            self.problems.append(f"{response.status} from {request.method} {response.url}")
        if place.scheme in ("http", "https") and place.netloc != self.home:
            self.problems.append(f"the page loads {response.url} from elsewhere")


def axe(page: Page, only: str = "") -> None:
    """Assert that the page as it stands breaks none of the WCAG rules, levels A and AA, that a
    program can judge; or `only` the one rule of this name."""
    rules = {"type": "rule", "values": [only]} if only else {"type": "tag", "values": WCAG}
    page.wait_for_load_state()  # half a page is nobody's page
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    lines = [
        f"{rule['id']}: {rule['help']}\n    "
        + "\n    ".join(node["html"] for node in rule["nodes"][:5])
        for rule in found
    ]
    assert not lines, f"{page.url}\n" + "\n".join(lines)


def look(page: Page, name: str) -> None:
    """Save pictures of the page, wide and narrow, light and dark, as `name-wide-light.png` and so on."""
    folder = pictures_dir()
    folder.mkdir(parents=True, exist_ok=True)
    before = page.viewport_size
    page.bring_to_front()
    for width, (pixels, height) in WIDTHS.items():
        page.set_viewport_size({"width": pixels, "height": height})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="light" if theme == "light" else "dark")
            page.screenshot(path=folder / f"{name}-{width}-{theme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    if before:
        page.set_viewport_size(before)


def in_both_themes(page: Page) -> None:
    """Assert accessibility in the light theme, and in the dark one the contrast, which alone differs."""
    # The browser repaints only the page in front; of another it would report a mixture of both themes.
    page.bring_to_front()
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        axe(page, only="color-contrast" if theme == "dark" else "")
