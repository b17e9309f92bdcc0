"""What the servers are measured with: one call of chorus-bench each, and the figures that are taken from its report."""

import dataclasses

CPU_PER_DELIVERY = "server.cpu_us_per_delivery"


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number of a report. Less is better for all of them."""

    title: str  # with the unit of what is shown
    path: str  # where it is in the report, as in "server.cpu_s"
    scale: float = 1.0  # a shown unit is that many units of the report


@dataclasses.dataclass(frozen=True)
class Workload:
    key: str  # its name on the command line
    title: str
    arguments: str  # for chorus-bench
    figures: tuple
    messages: int = 0  # 0: the command knows no messages
    # For servers that take about 10 us for every delivery, where the same work would take half a minute. A figure per
    # delivery stays comparable.
    messages_if_slow: int = 0
    needs: tuple = ()  # of what not all servers can, see Server.can
    beside: str = ""  # key of a workload whose figure is to be compared with this one's, server by server

    def command(self, server, share=1.0):
        """The arguments of chorus-bench for a server; `share` of the messages."""
        arguments = self.arguments.split()
        messages = self.messages_if_slow if server.slow and self.messages_if_slow else self.messages
        if messages:
            arguments += ["--messages", str(round(messages * share)), "--warm-up", str(server.warm_up)]
        return arguments

    def suits(self, server):
        return set(self.needs) <= set(server.can)

    @property
    def is_fan_out(self):
        return any(figure.path == CPU_PER_DELIVERY for figure in self.figures)


def fan_out(key, title, arguments, messages, messages_if_slow, **more):
    figure = Figure(f"{title}: CPU, µs per delivery", CPU_PER_DELIVERY)
    return Workload(key, title, "fanout " + arguments, (figure,), messages, messages_if_slow, **more)


WORKLOADS = (
    fan_out("w1", "W=1 N=1000", "--receivers 1000 --senders 1 --in-flight 1 --size 64", 1000, 300),
    fan_out("w32", "W=32 N=1000", "--receivers 1000 --senders 1 --in-flight 32 --size 64", 4000, 400),
    fan_out("json32", "JSON W=32 N=1000", "--receivers 1000 --senders 1 --in-flight 32 --size 64 --json-dialect", 4000,
            400, needs=("json",), beside="w32"),
    fan_out("senders", "10 senders W=8 N=1000", "--receivers 1000 --senders 10 --in-flight 8 --size 64", 4000, 400),
    fan_out("1KiB", "1 KiB W=8 N=200", "--receivers 200 --senders 1 --in-flight 8 --size 1KiB", 8000, 2000),
    fan_out("16KiB", "16 KiB W=8 N=200", "--receivers 200 --senders 1 --in-flight 8 --size 16KiB", 2000, 400),
    fan_out("rooms", "1,000 rooms of 10", "--receivers 10000 --rooms 1000 --in-flight 1 --size 64", 40000, 10000,
            needs=("rooms",)),
    # A rate that most of them can take: p99 is to show who stalled, not who is overloaded.
    Workload("stalled", "stalled 10% N=1000", "stalled --receivers 1000 --stalled 10% --rate 50",
             (Figure("stalled 10% N=1000: p99 latency of the others, times what it was before", "p99_ratio"),
              Figure("stalled 10% N=1000: memory, KiB per stalled peer", "server.rss_growth_bytes_per_stalled", 1024),
              Figure("stalled 10% N=1000: kernel memory, KiB per stalled peer",
                     "kernel.tcp_growth_bytes_per_stalled", 1024)),
             250),
    # Few receivers, so that much can be said to those that do not read.
    Workload("unread", "32 MiB unread by 10 of 100", "stalled --receivers 100 --stalled 10% --rate 200 --fill 32MiB",
             (Figure("32 MiB unread by 10 of 100: p99 latency of the others, times what it was before", "p99_ratio"),
              Figure("32 MiB unread by 10 of 100: memory, MiB", "server.rss_growth_bytes", 1024 * 1024)),
             400),
    Workload("idle", "idle 5000", "idle --connections 5000",
             (Figure("idle 5000: memory, KiB per connection", "server.rss_bytes_per_connection", 1024),)),
    Workload("connect", "connect 2000", "connect --connections 2000",
             (Figure("connect 2000: CPU, µs per connection, at first", "server.cpu_us_per_connection_at_first"),
              Figure("connect 2000: CPU, µs per connection, again", "server.cpu_us_per_connection"))),
)
