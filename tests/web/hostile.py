"""Five hundred texts that are meant to be taken for something else, generated: the same at each run (abuse A17)."""

from __future__ import annotations

import random

_BITS = (
    # HTML and script, in the places where a name may land
    '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '</title><svg/onload=alert(1)>', '"><b>x',
    "' onclick='x", 'javascript:alert(1)', '<!--', '-->', ']]>', '<![CDATA[x', '&lt;script&gt;', '&#60;b&#62;',
    '<style>*{display:none}', '</script><script>x', '<iframe srcdoc=x>', "<a href='data:text/html,x'>",
    '`${alert(1)}`',
    # templates, SQL, shells, formats
    '{{7*7}}', '${7*7}', '{% debug %}', '#{7*7}', '%(message)s', '%s%n%d', '{0.__class__}', "'; DROP TABLE users;--",
    "' OR '1'='1", '" OR 1=1 --', '1;SELECT pg_sleep(9)', '$(reboot)', '`id`', '| cat /etc/passwd', '%00',
    '../../etc/passwd',
    # lines, headers, terminals
    'a\r\nSet-Cookie: x=1', 'a\nevent: session_ended\ndata: {}', 'x\n\ndata: y', 'a\rb', '\u2028x', '\u2029x',
    '\x85x', '\x0bx', '\x00', 'a\x00b', '\x1b[31mred', '\x1b]0;title\x07', '\x7f', '\x9b2J', '\x08\x08\x08x', '\t',
    # signs that do not show, or turn things round
    '\u202egpj.exe', '\u2066x\u2069', '\u200bx', '\ufeffx', 'a\u0301\u0301\u0301', '\u034f', '\xad', '\U000e0041',
    '\ufffe', 'Z\u0351\u036b\u0343\u036a\u0302', '﷽', 'İi', 'ﬁ', 'Å', 'Ω', '𝕏', '\U0001f469\u200d\U0001f467', '🏴',
    '漢字', 'عربي', 'שלום', 'ｗｉｄｅ',
    # JSON, Prometheus, tables
    '"', '\\', '\\"', '{"a":1}', 'x"} 1\nfanal_info{version="', '=1+1', '@SUM(A1)', ',', ';', 'null', 'undefined',
    'NaN',
)  # fmt: skip


def texts(count: int = 500) -> list[str]:
    """Each bit alone, then mixed, repeated and put into ordinary words."""
    chosen = random.Random(17)
    found = dict.fromkeys(_BITS)
    while len(found) < count:
        parts = [chosen.choice(_BITS) for _ in range(chosen.randint(1, 3))]
        match chosen.randrange(5):
            case 0:
                text = "".join(parts)
            case 1:
                text = f"Gate {parts[0]} {chosen.randrange(100)}"
            case 2:
                text = parts[0] * chosen.randint(2, 40)
            case 3:
                text = chosen.choice((parts[0].upper(), parts[0].swapcase(), f" {parts[0]} "))
            case _:
                text = chr(chosen.choice((chosen.randrange(1, 0x300), chosen.randrange(0x2000, 0x2100)))) + parts[0]
        found[text] = None
    return list(found)
