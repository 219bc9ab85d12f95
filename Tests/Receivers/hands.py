"""What a person does on the pages, in a real browser: a case accepted by keyboard alone, a channel tried, hours of duty set, an outcome taken back, an
outcome sent, a chart under a finger, a stream that broke.

Usage: hands.py OUTPUT BASE LINK HOME
One JSON line a deed in OUTPUT. Prints "ready 0" when done. The page's clock is driven: ten seconds are not waited for.
"""

import json
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

OUTPUT, BASE, LINK, HOME = sys.argv[1:]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


def note(**line):
    with open(OUTPUT, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def link(browser):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, locale="zh-CN")
    page = context.new_page()
    posts, elsewhere = [], []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.on("request", lambda request: elsewhere.append(request.url) if not request.url.startswith((BASE, "data:")) else None)
    page.clock.install()
    response = page.goto(LINK, wait_until="load")
    found = Axe().run(page, options=RULES).response["violations"]
    smallest = page.evaluate("Math.min(...[...document.querySelectorAll('button.huge')].map(e => e.getBoundingClientRect().height))")
    font = page.evaluate("Math.min(...[...document.querySelectorAll('.answer h1,.answer p,button.huge')].map(e => parseFloat(getComputedStyle(e).fontSize)))")
    note(deed="opened", status=response.status, bytes=len(response.body()), posts=len(posts), elsewhere=elsewhere, smallestButton=smallest, smallestText=font,
         overflow=page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
         violations=[f"{item['id']}: {item['nodes'][0]['html'][:120]}" for item in found])
    page.locator("input[name=code][value=safe]").check()
    page.locator("form[data-undo] button.huge").click()
    bar = page.locator(".soon")
    note(deed="asked", text=bar.inner_text(), posts=len(posts))
    page.clock.run_for(8000)
    bar.locator("button").click()
    page.clock.run_for(20000)
    note(deed="undone", posts=len(posts), bars=page.locator(".soon").count())
    page.locator("form[data-undo] button.huge").click()
    with page.expect_navigation():
        page.clock.run_for(10500)
    note(deed="sent", posts=len(posts), text=page.locator("main, body").first.inner_text())
    context.close()


def keyboard(browser):
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(LINK, wait_until="load")
    focus = "document.activeElement.value || ''"
    stops = 0
    while stops < 40 and page.evaluate(focus) != "accept":
        page.keyboard.press("Tab")
        stops += 1
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle + ' ' + getComputedStyle(document.activeElement).outlineWidth")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    note(deed="accepted", stops=stops, ring=ring, buttons=page.locator("button[value=accept]").count())
    context.close()


def people(browser):
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = context.new_page()
    page.goto(BASE + "/people", wait_until="load")
    with page.expect_navigation():
        page.locator("form[action^='/people/channels/'] button").first.click()
    tried = page.locator("[role=status]").all_inner_texts()
    page.goto(BASE + "/people", wait_until="load")
    row = page.locator("tr", has=page.locator("details")).first
    row.locator("summary").click()
    row.locator("input[name=on_duty]").fill("mon-fri 08:00-20:00")
    with page.expect_navigation():
        row.locator("details button").click()
    note(deed="duty", tried=tried, row=page.locator("tr", has=page.locator("details")).first.inner_text(),
         hints=page.locator(".hint").all_inner_texts(), overflow=page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
    context.close()


def chart(browser):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, locale="zh-CN")
    page = context.new_page()
    page.goto(HOME, wait_until="load")
    before = page.locator("figure output").first.inner_text()
    bars = page.locator("[data-detail]")
    box = bars.nth(bars.count() // 2).bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    note(deed="touched", bars=bars.count(), before=before, after=page.locator("figure output").first.inner_text(), lit=page.locator(".touch.on").count())
    context.close()


def stream(browser):
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    asked = []
    # A proxy in the way answers with a page while the gateway starts again: a browser gives up on that for good.
    page.route("**/api/v1/events", lambda route: (asked.append(1), route.fulfill(status=502, body="bad gateway") if len(asked) == 1 else route.continue_())[1])
    page.goto(BASE + "/", wait_until="load")
    with page.expect_response(lambda answer: answer.url.endswith("/api/v1/events") and answer.status == 200, timeout=20000):
        pass
    note(deed="listened", asked=len(asked))
    context.close()


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
    chart(browser)
    stream(browser)
    people(browser)
    keyboard(browser)
    link(browser)
    browser.close()
print("ready 0", flush=True)
