#include "member_view.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <range/v3/algorithm/any_of.hpp>
#include <range/v3/algorithm/none_of.hpp>
#include <range/v3/view/iota.hpp>

namespace chorus::test {

namespace {

void require(bool holds, std::string const& what) {
  if (!holds) throw wrong_view(what);
}

/// The socket has not taken the rest yet.
struct cut_off {};

std::string shortened(std::string_view text) { return std::string(text.substr(0, 200)); }

/// The number at its beginning.
std::optional<std::uint64_t> number_of(std::string_view line) {
  std::uint64_t number = 0;
  auto const [rest, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return number;
}

/// What `gap 3-9` says, and `replayed 3-9`.
replay range_of(std::string_view line) {
  auto const from = line.find(' ') + 1;
  auto const to = line.find('-') + 1;
  return {number_of(line.substr(from)).value(), number_of(line.substr(to)).value()};
}

/// All of it if its end is cut off.
std::string_view first_line(std::string_view lines) {
  auto const end = lines.find('\n');
  return end == std::string_view::npos ? lines : lines.substr(0, end + 1);
}

/// Where the stream of who wants the last so many messages may begin.
void require_history(log_record const& log, std::uint64_t wanted, std::uint64_t begins_after, std::uint64_t before,
                     bool keeps_all) {
  auto const got = log.messages(begins_after, before);
  require(got <= wanted, "more history than was wanted");
  if (keeps_all) require(got == std::min(wanted, log.messages(0, before)), "less history than was wanted");
}

}  // namespace

void plain_view::read(std::string_view lines) {
  rest_ = lines;
  try {
    if (!rest_.empty()) read_greeting();
    while (!rest_.empty()) read_next();
  } catch (cut_off) {
    is_cut_ = true;
  }
}

void plain_view::read_next() {
  auto const line = first_line(rest_);
  if (!line.ends_with('\n')) throw cut_off();
  auto const seq = number_of(line);
  if (line.starts_with("users ")) {
    unplaced_.emplace_back(take_line());
  } else if (is_past(line)) {
    read_replay();
  } else if (line.starts_with("gap ")) {
    read_gap(range_of(take_line()));
  } else if (!seq || !read_own_rename(*seq)) {
    read_event();
  }
}

/// What it has been sent, or sent past, before.
bool plain_view::is_past(std::string_view line) const {
  if (line.starts_with("replayed ")) return true;
  if (line.starts_with("gap ")) return range_of(line).to <= at_;
  if (auto const seq = number_of(line)) return *seq <= at_;
  // Where presence turns without an event there is no number.
  auto const next = log_.next_heard(at_);
  return next > log_.last() || log_.at(next).line != line;
}

void plain_view::require_end() const {
  require(!is_cut_, "the end is cut off");
  auto const joined = log_.join_of(visit_.who);
  if (joined == 0) return require(at_ == 0, "greeted without a join");
  require(log_.next_heard(at_) == log_.last() + 1, "the end is missing");
  for (auto seq = std::max(own_rename_, joined) + 1; seq <= log_.last(); ++seq) {
    auto const& e = log_.at(seq);
    auto const is_own = e.by == visit_.who && e.what.what == event::kind::renamed && !e.what.announced;
    require(!is_own, "not told of its own rename " + std::to_string(seq));
  }
  require_answers(log_.last());
  require(replays_ == visit_.asked.size(), "a replay is missing");
}

std::string_view plain_view::take_line() {
  auto const line = first_line(rest_);
  if (!line.ends_with('\n')) throw cut_off();
  rest_.remove_prefix(line.size());
  return line;
}

void plain_view::take(std::string_view expected, std::string_view what) {
  if (rest_.size() < expected.size() && expected.starts_with(rest_)) throw cut_off();
  require(rest_.starts_with(expected),
          std::string(what) + ": expected " + shortened(expected) + " and got " + shortened(rest_));
  rest_.remove_prefix(expected.size());
}

void plain_view::read_greeting() {
  auto const joined = log_.join_of(visit_.who);
  require(joined != 0, "greeted without a join");
  auto const& own = log_.at(joined);
  auto const before = own.batch - 1;
  take("welcome lobby " + own.what.name + " " + std::to_string(own.what.users) + " 1000:", "greeting");
  auto const rest = take_line();
  at_ = number_of(rest).value();
  auto const recovered = rest.ends_with(" recovered\n");
  auto const& since = visit_.wishes.since;
  if (since && since->epoch == 1000 && since->seq <= before) {
    require(at_ == since->seq, "does not begin at its cursor");
    require(recovered || !keeps_all_, "not recovered though everything is there");
    must_miss_ = !recovered;
  } else {
    require(!recovered, "recovered without a cursor");
    require(at_ <= before, "begins after its own batch");
    require_history(log_, visit_.wishes.history, at_, before, keeps_all_);
    if (visit_.wishes.history == 0) require(at_ == before, "begins before its own batch");
  }
}

void plain_view::read_event() {
  auto const seq = log_.next_heard(at_);
  require(seq <= log_.last(), "more than has happened: " + shortened(rest_));
  require(!must_miss_, "what is lost is not named");
  take(log_.at(seq).line, "event " + std::to_string(seq));
  move_to(seq);
  heard_.insert(seq);
}

void plain_view::read_gap(replay missing) {
  require(missing.from <= missing.to && missing.to <= log_.last(), "a gap that cannot be");
  require(missing.from > at_ && missing.from <= log_.next_heard(at_), "a gap that leaves something out");
  require(!must_miss_ || missing.from == at_ + 1, "a gap that does not begin at the cursor");
  require(!(visit_.takes_all && keeps_all_), "a gap for one who takes everything");
  must_miss_ = false;
  // An answer may have come after what nobody heard behind it, and yet before the notice.
  require_answers(log_.next_heard(missing.to) - 1);
  unplaced_.clear();
  move_to(missing.to);
  gaps_.push_back(missing);
}

void plain_view::move_to(std::uint64_t seq) {
  require_answers(seq);
  unplaced_.clear();
  at_ = seq;
}

/// What was answered was so at some place from where it is now to `seq`; of a gap nobody can say where in it.
void plain_view::require_answers(std::uint64_t seq) const {
  for (auto const& answer : unplaced_) {
    auto const is_here = [&](std::uint64_t place) { return log_.at(place).users == answer; };
    require(ranges::any_of(ranges::views::closed_iota(std::max<std::uint64_t>(at_, 1), seq), is_here),
            "wrong answer " + answer);
  }
}

bool plain_view::read_own_rename(std::uint64_t seq) {
  require(seq <= log_.last(), "more than has happened: " + shortened(rest_));
  auto const& here = log_.at(seq);
  if (here.by != visit_.who || here.what.what != event::kind::renamed || here.what.announced) return false;
  require(seq > own_rename_, "told again of its own rename");
  auto own = here.what;
  own.announced = true;
  take(plain_dialect().encode({&own, 1}), "own rename");
  own_rename_ = seq;
  return true;
}

void plain_view::read_replay() {
  require(replays_ < visit_.asked.size(), "something once more that was not asked for: " + shortened(rest_));
  auto const asked = visit_.asked[replays_];
  auto from = asked.from;
  if (rest_.starts_with("gap ")) {
    auto const lost = range_of(take_line());
    require(!keeps_all_, "a replay with a gap though everything is there");
    require(lost.from == asked.from && lost.to >= lost.from, "a replay whose gap is not at its beginning");
    from = lost.to + 1;
  }
  auto next = from;
  for (; !rest_.starts_with("replayed "); ++next) {
    if (std::string_view("replayed ").starts_with(rest_)) throw cut_off();
    require(next <= asked.to, "a replay of more than was asked for");
    take(log_.at(next).line, "replay");
    if (!log_.at(next).line.empty()) heard_.insert(next);
  }
  auto const covered = range_of(take_line());
  require(covered.from == asked.from && covered.to <= asked.to && covered.to + 1 >= from, "wrong end of a replay");
  require(next > covered.to || log_.next_heard(next - 1) > covered.to, "a replay that leaves something out");
  ++replays_;
}

void read_terse_view(std::string_view lines, log_record const& log, visit const& of, bool keeps_all) {
  if (lines.empty()) return;
  auto const joined = log.join_of(of.who);
  require(joined != 0, "greeted without a join");
  auto const& own = log.at(joined);
  auto const greeting = "hello " + std::to_string(own.what.users) + "\n";
  require(lines.starts_with(greeting), "greeting: " + shortened(lines));
  lines.remove_prefix(greeting.size());
  std::vector<std::string> messages;
  for (std::uint64_t seq = 1; seq <= log.last(); ++seq)
    if (auto const& e = log.at(seq).what; is_message(e)) messages.push_back(e.name + ": " + e.text + "\n");
  auto const before = log.messages(0, own.batch - 1);
  auto const most = std::min(of.wishes.history, before);
  auto const reads_from = [&](std::uint64_t next) {
    for (auto rest = lines; !rest.empty();) {
      auto const line = first_line(rest);
      if (!line.ends_with('\n')) return of.has_left;
      if (line.starts_with("skipped ")) {
        next += number_of(line.substr(8)).value();
        if (of.takes_all && keeps_all) return false;
      } else if (next < messages.size() && line == messages[next]) {
        ++next;
      } else {
        return false;
      }
      rest.remove_prefix(line.size());
    }
    return of.has_left ? next <= messages.size() : next == messages.size();
  };
  auto const least = keeps_all ? most : 0;
  auto const starts = ranges::views::closed_iota(before - most, before - least);
  require(ranges::any_of(starts, reads_from), "not a piece of what was said: " + shortened(lines));
}

}  // namespace chorus::test
