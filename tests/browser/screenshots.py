"""Takes the pictures of the page that the README shows.

Usage: python3 screenshots.py PATH_TO_CHORUS_SERVER FOLDER
"""

import contextlib
import pathlib
import sys

import chromium
from chromium import Person, until

import server_process

CONVERSATION = [
    ("ann", "Good morning! Is there any tea left?"),
    ("bob", "A whole pot. I'm in the kitchen."),
    ("דנה", "בוקר טוב! אני באה"),
    ("ann", "Coming. I have read up on first flush and second flush meanwhile, and now I know even less than before:\n"
            "https://en.wikipedia.org/wiki/Darjeeling_tea"),
    ("bob", "<b>Bold</b> of you."),
    ("ann", "Ha."),
]

SCREENS = {
    "page": ({"width": 960, "height": 600, "deviceScaleFactor": 1, "mobile": False}, "light"),
    "page-dark": ({"width": 960, "height": 600, "deviceScaleFactor": 1, "mobile": False}, "dark"),
    "page-phone": ({"width": 360, "height": 600, "deviceScaleFactor": 1, "mobile": True}, "light"),
}


def main():
    if len(sys.argv) != 3:
        sys.exit(f"Usage: {sys.argv[0]} PATH_TO_CHORUS_SERVER FOLDER")
    if chromium.missing():
        sys.exit(f"screenshots: there is no {chromium.missing()}")
    server_process.program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    server = server_process.ServerProcess("--address=127.0.0.1", "--port=0")
    with contextlib.ExitStack() as at_end:
        at_end.callback(server.end)
        server.wait_until_ready()
        driver = chromium.start()
        at_end.callback(driver.quit)
        people = {}
        for name in ("ann", "bob", "דנה"):
            people[name] = Person(driver, f"http://127.0.0.1:{server.port}/#tea").enter(name)
            people["ann"].sees_names(*people)
        for number, (name, text) in enumerate(CONVERSATION, 1):
            people[name].run("document.querySelector('#text').value = arguments[0];"
                             "document.querySelector('#say').requestSubmit()", text)
            until(lambda: len(people["ann"].said()) == number, text)  # pylint: disable=cell-var-from-loop
        for name, (screen, scheme) in SCREENS.items():
            ann = people["ann"]
            ann.devtools("Emulation.setDeviceMetricsOverride", **screen)
            ann.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            until(lambda: ann.run("return innerWidth") == screen["width"], name)  # pylint: disable=cell-var-from-loop
            ann.run("document.querySelector('#text').blur()")
            ann.screenshot(folder / f"{name}.png")
            print(folder / f"{name}.png")


if __name__ == "__main__":
    main()
