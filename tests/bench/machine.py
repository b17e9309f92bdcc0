"""What the figures depend on, for the head of the report."""

import datetime
import json
import os
import platform
import re
import shlex

from servers import output_of


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        found = re.search(r"^(?:model name|Model)\s*:\s*(.*)$", info.read(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def compiler_of(build):
    """The first line of what the compiler of a build directory says about itself; empty if it cannot be known."""
    try:
        commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    except OSError:
        return ""
    words = shlex.split(commands[0]["command"])
    # Before its first option; a ccache may come first.
    compiler = next(word for word in words if "ccache" not in word)
    return output_of([compiler, "--version"])


def facts(build, servers, server_cpu, bench_cpu):
    """Label -> text."""
    found = {
        "Date": datetime.date.today().isoformat(),
        "Machine": f"{cpu_model()}, {os.cpu_count()} cores",
        "Cores used": f"the server runs on core {server_cpu}, chorus-bench on core {bench_cpu}",
        "System": f"{platform.system()} {platform.release()}",
        "Compiler": compiler_of(build),
        "Versions": "; ".join(server.version for server in servers if server.version),
    }
    return {label: text for label, text in found.items() if text}
