"""Chromium, driven by Selenium: people who open the page, each in a window of their own."""

import contextlib
import pathlib
import shutil
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

try:
    from selenium import webdriver
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = None

DEADLINE = 30.0  # seconds that any one thing may take

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
         "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         # Every window counts as seen.
         "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding"]


def missing():
    """What is not there to test with; empty if everything is."""
    if webdriver is None:
        return "the Python package selenium"
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            return program
    try:
        # By that name chromedriver looks for the browser.
        socket.getaddrinfo("localhost", 0)
    except OSError:
        return "host named localhost (see /etc/hosts)"
    return ""


def start():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in [*FLAGS, "--window-size=1200,800"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    driver.set_script_timeout(DEADLINE)
    return driver


def until(condition, what):
    """Waits until the condition holds, and returns what it gave."""
    deadline = time.monotonic() + DEADLINE
    while True:
        with contextlib.suppress(StaleElementReferenceException):
            if found := condition():
                return found
        if time.monotonic() > deadline:
            raise AssertionError(f"in {DEADLINE:.0f} s never: {what() if callable(what) else what}")
        time.sleep(0.01)


def difference(expected, found):
    """The first place where two lists differ."""
    at = next((i for i, pair in enumerate(zip(expected, found)) if pair[0] != pair[1]), min(len(expected), len(found)))
    parts = [[text[:40] for text in texts[at:at + 3]] for texts in (expected, found)]
    return f"{len(expected)} lines, but there are {len(found)}; from {at} on they are {parts[1]}, not {parts[0]}"


class Person:
    """Somebody with a window of their own."""

    def __init__(self, driver, address):
        self.driver = driver
        driver.switch_to.new_window("window")
        self.window = driver.current_window_handle
        self.open(address)

    def _here(self):
        if self.driver.current_window_handle != self.window:
            self.driver.switch_to.window(self.window)
        return self.driver

    def open(self, address):
        self._here().get(address)

    def reload(self):
        self._here().refresh()

    def close(self):
        self._here().close()
        self.driver.switch_to.window(self.driver.window_handles[0])

    def run(self, script, *arguments):
        return self._here().execute_script(script, *arguments)

    def devtools(self, command, **parameters):
        return self._here().execute_cdp_cmd(command, parameters)

    def one(self, selector):
        return self._here().find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.textContent", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector)

    def value(self, selector):
        return self.run("return document.querySelector(arguments[0]).value", selector)

    def press(self, *keys):
        """On what has the focus."""
        self._here().switch_to.active_element.send_keys(*keys)

    def fill(self, selector, text):
        field = self.one(selector)
        field.clear()
        field.send_keys(text)

    def click(self, selector):
        self.one(selector).click()

    def screenshot(self, path):
        self._here().save_screenshot(str(path))

    # The page.

    def enter(self, name, room=None):
        self.fill("#join-name", name)
        if room:
            self.fill("#join-room", room)
        self.click("#join button")
        return self.wait_for_state("Connected")

    def wait_for_state(self, begin):
        until(lambda: (self.text("#state") or "").startswith(begin), lambda: f"{begin}: {self.text('#state')}")
        return self

    def say(self, text):
        self.one("#text").send_keys(text, Keys.ENTER)

    def messages(self):
        """All messages: (name, text)."""
        return [tuple(pair) for pair in self.run(
            "return [...document.querySelectorAll('#lines .message')].map("
            "li => [li.querySelector('.name').textContent, li.querySelector('.text').textContent])")]

    def said(self):
        return [text for _, text in self.messages()]

    def last(self):
        return self.run("return [...document.querySelectorAll('#lines .text')].at(-1)?.textContent")

    def own(self):
        return self.run("return [...document.querySelectorAll('#lines .own .text')].map(e => e.textContent)")

    def hears(self, *texts):
        """Waits until these have been said, and nothing else."""
        until(lambda: self.said() == list(texts), lambda: difference(texts, self.said()))

    def sees(self, selector, *texts):
        until(lambda: self.texts(selector) == list(texts), lambda: f"{selector} {list(texts)}: {self.texts(selector)}")

    def names(self):
        return self.run("return [...document.querySelectorAll('#names bdi')].map(e => e.textContent)")

    def sees_names(self, *names):
        until(lambda: self.names() == list(names), lambda: f"{list(names)}: {self.names()}")
