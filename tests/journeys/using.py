"""Using a page with nothing but a keyboard, or with a finger on a phone: what cannot be reached, seen or hit."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

# What people act with. What is folded away, or stands in a dialog that is closed, is not there.
SHOWN = """
(() => {
  const parts = "a[href], button:not(:disabled), summary, select:not(:disabled), textarea:not(:disabled)," +
    "input:not([type=hidden], :disabled)";
  window.shown = () => [...document.querySelectorAll(parts)]
    .filter((part) => part.checkVisibility({ visibilityProperty: true }) && !part.closest("fieldset:disabled"));
  window.called = (part) => `${part.tagName.toLowerCase()} “${(part.getAttribute("aria-label") || part.innerText ||
    part.labels?.[0]?.innerText || part.name || "").trim().slice(0, 60)}”`;
  // Where one presses: a choice may be pressed on its label, which may be the whole of its box.
  window.pressed = (part) => ["radio", "checkbox"].includes(part.type)
    ? part.closest(".rating-item, .form-check, label") || part.labels?.[0] || part : part;
  window.covered = (part) => {
    const box = part.getClientRects()[0], at = [box.left + box.width / 2, box.top + box.height / 2];
    const top = document.elementFromPoint(...at);
    return !top || !(part.contains(top) || top.contains(part) || pressed(part).contains(top)) ? top || null : false;
  };
})()
"""

# The focus as it stands: "end" outside the page, "again" where it was before, else what is wrong with where it is.
FOCUSED = """
() => {
  const part = document.activeElement;
  if (!part || part === document.body) return "end";
  // A day has a stop for each of its parts.
  if ("visited" in part.dataset && part !== window.before) return "again";
  part.dataset.visited = "";
  window.before = part;
  const rings = [part, pressed(part), part.nextElementSibling].filter(Boolean);
  // The parts of a date have rings of the browser's own.
  const ringed = /date|time/.test(part.type) || rings.some((one) => getComputedStyle(one).outlineStyle !== "none");
  const hidden = part.matches("[type=radio], [role=region]") ? false : covered(part);
  return ringed && hidden === false ? "" :
    `${called(part)} ${ringed ? `is covered by ${hidden?.outerHTML.slice(0, 80)}` : "shows no focus"}`;
}
"""

# Of a group of radio buttons the arrows choose.
UNREACHED = """
() => shown().filter((part) => !("visited" in part.dataset) && part.type !== "radio" && part.tabIndex >= 0).map(called)
"""

# Links in running text are as high as the text.
FINGERS = """
() => {
  const wrong = [];
  if (document.documentElement.scrollWidth > innerWidth) wrong.push("scrolls sideways");
  for (const part of shown()) {
    if (part.matches(".skip-link")) continue;
    part.scrollIntoView({ block: "center", behavior: "instant" });
    const { width, height } = pressed(part).getBoundingClientRect();
    const least = part.matches(".btn-primary") ? 44 : 24;
    if (height < least - 0.5 || width < 23.5) wrong.push(`${called(part)} is ${width} × ${height}`);
    if (covered(part) !== false) wrong.push(`${called(part)} is covered`);
  }
  scrollTo(0, 0);
  return wrong;
}
"""


def wrong_by_keyboard(page: Page) -> list[str]:
    """Press Tab from where the page begins until it comes round: what nobody comes to, or comes to unseen."""
    page.evaluate(SHOWN)
    wrong = []
    for _press in range(500):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found == "again":
            break
        if found not in ("", "end"):
            wrong.append(found)
    else:
        wrong.append("nobody comes round")
    return [*wrong, *(f"{part} is not reached" for part in page.evaluate(UNREACHED))]


def wrong_by_finger(page: Page) -> list[str]:
    """What of a page on a phone is too small to hit, covered by something, or beside the screen."""
    page.evaluate(SHOWN)
    found: list[str] = page.evaluate(FINGERS)
    return found


def reach(page: Page, target: Locator) -> None:
    """Press Tab until the focus is on this part of the page."""
    target.wait_for()
    for _press in range(300):
        if target.evaluate("part => part === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {target}")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Come to a part of the page by Tab and press a key on it."""
    reach(page, target)
    page.keyboard.press(key)


def write(page: Page, target: Locator, text: str) -> None:
    """Come to a field by Tab and type, in the place of what stands in it."""
    reach(page, target)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def open_by_keys(page: Page, target: Locator) -> None:
    """Follow a link, or send a form, by Tab and Enter, and wait for the page to which it leads."""
    reach(page, target)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def focused(page: Page) -> Any:
    """The words of what has the focus."""
    return page.evaluate(
        "(document.activeElement?.ariaLabel || document.activeElement?.innerText || '').trim()"
    )
