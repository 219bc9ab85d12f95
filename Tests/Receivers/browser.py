"""The console in a real browser (Debian's chromium through playwright), at phone and desk width, light and dark, in both languages.

Usage: browser.py OUTPUT BASE FOLDER [PATH...]
For each page: nothing wider than the screen, nothing fetched from elsewhere, no complaint of the browser's console, and axe's rules for names,
roles, landmarks and contrast (WCAG 2.2 A and AA). One JSON line a page in OUTPUT; pictures in FOLDER.
Prints "ready 0" when done.
"""

import json
import os
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

OUTPUT, BASE, FOLDER, *PATHS = sys.argv[1:]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
SIZES = [("phone", 390, 844), ("desk", 1280, 800)]


def visit(browser, path, size, scheme, language):
    name, width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale=language)
    context.add_cookies([{"name": "wellward_language", "value": language, "url": BASE}])
    page = context.new_page()
    complaints, elsewhere, weight = [], [], [0]
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: elsewhere.append(request.url) if not request.url.startswith((BASE, "data:")) else None)
    response = page.goto(BASE + path, wait_until="load")
    weight[0] = len(response.body())
    page.wait_for_timeout(300)
    found = Axe().run(page, options=RULES).response["violations"]
    picture = f"{path.strip('/').replace('/', '-') or 'overview'}-{name}-{scheme}-{language}.png"
    page.screenshot(path=os.path.join(FOLDER, picture), full_page=True)
    small = page.evaluate(
        """() => [...document.querySelectorAll('button,select,input:not([type=hidden]):not([type=radio])')]
            .filter(e => e.offsetParent && e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 80))""")
    line = {
        "path": path, "size": name, "scheme": scheme, "language": language, "status": response.status, "bytes": weight[0],
        "overflow": page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
        "complaints": complaints, "elsewhere": elsewhere, "small": small,
        "violations": [f"{item['id']}: {item['nodes'][0]['html'][:120]}" for item in found],
        "focusable": page.evaluate("() => { document.body.focus(); return document.querySelectorAll('a[href],button,input,select,textarea').length }"),
    }
    page.keyboard.press("Tab")
    line["firstStop"] = page.evaluate("document.activeElement.className")
    with open(OUTPUT, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    context.close()


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
    for path in PATHS:
        for size, scheme, language in [(SIZES[0], "light", "zh-Hans"), (SIZES[1], "dark", "en"), (SIZES[1], "light", "zh-Hans"), (SIZES[0], "dark", "en")]:
            visit(browser, path, size, scheme, language)
    browser.close()
print("ready 0", flush=True)
