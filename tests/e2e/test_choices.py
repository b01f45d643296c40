"""What is a person's own: saved views, the zone of times, colours; and the keyboard, which reaches everything."""

from __future__ import annotations

from trading.models import SavedFilter

ORDERS = "/admin/trading/order/"
# What has the keyboard's focus, in words, and whether anybody can see that.
FOCUS = """() => {
  const part = document.activeElement, style = getComputedStyle(part);
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return [part.id || part.className || part.tagName, part.textContent.trim().slice(0, 30), seen];
}"""


def test_a_view_is_saved_under_a_name_opened_and_forgotten(day, people, visit):
    with visit(people["viewer"]) as tab:
        tab.open(ORDERS)
        tab.page.click(".lv-filter summary:has-text('Status')")
        tab.page.click(".lv-filter a:has-text('in doubt')")
        tab.has_rows(1)
        tab.page.click("summary:has-text('Save this view')")
        tab.page.fill("#lv-view-name", "look at these")
        tab.page.click(".lv-inline-form button:has-text('Save')")
        tab.sees("text=Saved as “look at these”.")
        tab.open(ORDERS)
        tab.page.click(".lv-saved a:has-text('look at these')")
        tab.has_rows(1)
        tab.page.click("button[aria-label='Forget the view look at these']")
        tab.has_rows(13)
    assert not SavedFilter.objects.exists()


def test_times_are_the_persons_own_or_utc_as_they_choose_and_utc_is_in_the_tooltip(day, people, visit):
    order = day.orders["filled"]
    path = f"{ORDERS}{order.pk}/change/"
    in_utc = f"{order.created_at:%H:%M:%S}"
    with visit(people["viewer"], zone="Asia/Kathmandu") as tab:
        tab.open(path)
        clock = tab.sees("time.lv-clock")
        assert clock.inner_text() != in_utc, "45 minutes past any hour of UTC"
        assert "UTC" in tab.page.locator(":has(> time.lv-clock), time.lv-clock").last.get_attribute("title")
        tab.page.click(".lv-person > summary")
        tab.page.click("[data-choice=zone] button[value=utc]")
        tab.sees(f"time.lv-clock >> text={in_utc}")
        tab.open(path)
        tab.sees(f"time.lv-clock >> text={in_utc}")


def test_colours_are_chosen_and_stay_chosen(day, people, visit):
    with visit(people["viewer"], theme="light") as tab:
        tab.open("/admin/")
        tab.page.click(".lv-person > summary")
        tab.page.click("[data-choice=theme] button[value=dark]")
        tab.sees("html.dark")
        tab.open(ORDERS)
        tab.sees("html.dark")


def test_the_keyboard_reaches_everything_and_shows_where_it_is(day, people, visit):
    with visit(people["trader"]) as tab:
        tab.open(ORDERS)
        reached = []
        for _ in range(70):
            tab.page.keyboard.press("Tab")
            reached.append(tab.page.evaluate(FOCUS))
        words = [text for _name, text, _seen in reached]
        assert words[0] == "Skip to the page"
        assert "STOP" in words[:4], "the second or third stop of the keyboard"
        assert {"Control room", "Status", "CSV"} <= set(words)
        assert [name for name, _text, seen in reached if not seen and name != "lv-body"] == []
        tab.page.keyboard.press("/")
        assert tab.page.evaluate("document.activeElement.id") == "lv-find-term"


def test_menus_open_and_close_from_the_keyboard(day, people, visit):
    with visit(people["viewer"]) as tab:
        tab.open(ORDERS)
        tab.page.focus(".lv-filter summary:has-text('Status')")
        tab.page.keyboard.press("Enter")
        tab.sees(".lv-filter[open] a:has-text('in doubt')")
        tab.page.keyboard.press("Escape")
        tab.page.wait_for_selector(".lv-filter[open]", state="hidden")
