"""Expected occurrences of the corpus and of the DST matrix, by other programs than emcon.

Run once, by hand: pip install icalendar==7.3.0 recurring-ical-events==3.8.2 tzdata; python3 oracle.py
"""
import datetime as dt, json, pathlib, importlib.metadata as md, zoneinfo
import icalendar, recurring_ical_events

HERE = pathlib.Path(__file__).parent
UTC = dt.timezone.utc
NOW = dt.datetime(2026, 3, 24, tzinfo=UTC)
FROM, UNTIL = NOW - dt.timedelta(days=1), NOW + dt.timedelta(days=14)
DEFAULT = zoneinfo.ZoneInfo("Europe/Berlin")

def utc(t):
    if not isinstance(t, dt.datetime):
        t = dt.datetime(t.year, t.month, t.day, tzinfo=DEFAULT)
    if t.tzinfo is None:
        t = t.replace(tzinfo=DEFAULT)
    return t.astimezone(UTC)

def text(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")

def occurrences(path):
    found = []
    for calendar in icalendar.Calendar.from_ical(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), multiple=True):
        query = recurring_ical_events.of(calendar, keep_recurrence_attributes=True)
        for event in query.between(FROM - dt.timedelta(days=2), UNTIL + dt.timedelta(days=2)):
            if event.get("STATUS") == "CANCELLED" or event.get("CLASS") not in ("CONFIDENTIAL", "PRIVATE"):
                continue
            begins = utc(event["DTSTART"].dt)
            ends = utc(event["DTEND"].dt) if "DTEND" in event else begins
            if ends > FROM and begins - dt.timedelta(minutes=10) < UNTIL:
                found.append([str(event["UID"]), text(begins), text(ends)])
    return sorted(found)

def matrix():
    """A daily meeting from 01:45 to 02:45 on the days around each change of offset."""
    rows = []
    for name in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Shanghai"]:
        zone = zoneinfo.ZoneInfo(name)
        day, last = dt.date(2015, 1, 1), dt.date(2037, 12, 31)
        offset = lambda d, h: dt.datetime(d.year, d.month, d.day, h, tzinfo=zone).utcoffset()
        while day <= last:
            changes = offset(day, 12) != offset(day - dt.timedelta(days=1), 12)
            if changes or (day.day == 15 and day.month == 6):
                for near in range(-1, 2):
                    d = day + dt.timedelta(days=near)
                    begin = dt.datetime(d.year, d.month, d.day, 1, 45, tzinfo=zone).astimezone(UTC)
                    rows.append([name, text(begin)])
            day += dt.timedelta(days=1)
    return rows

out = {
    "oracle": "icalendar %s, recurring-ical-events %s, zoneinfo with tzdata %s" % tuple(
        md.version(n) for n in ("icalendar", "recurring-ical-events", "tzdata")),
    "now": text(NOW),
    "corpus": {p.stem: occurrences(p) for p in sorted((HERE / "corpus").glob("*.ics"))
               if p.stem != "wide-bombs"},
    "matrix": matrix(),
}

def rows(rows):
    return "[" + ",\n".join(json.dumps(row) for row in rows) + "]"

corpus = ",\n".join("%s: %s" % (json.dumps(name), rows(found)) for name, found in out["corpus"].items())
(HERE / "expected.json").write_text('{"oracle": %s,\n"now": %s,\n"corpus": {\n%s},\n"matrix": %s}\n' % (
    json.dumps(out["oracle"]), json.dumps(out["now"]), corpus, rows(out["matrix"])))
