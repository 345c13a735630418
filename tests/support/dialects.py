"""CSV files of known dialects, seeded: what people's files look like, and the dialect that they were written in."""

import random

WORDS = ("alpha beta gamma delta north south red green blue steel table chair lamp Ann Bob Zoe Müller O'Neil Smith Jones item "
         "order paid open closed new used old first last").split()
DELIMITERS = [",", ";", "\t", "|", ":", "^", "~", "\x01"]


def integer(r):
    return str(r.randrange(-50, 100_000))


def decimal(r):
    return f"{r.uniform(0, 5000):.2f}"


def comma_decimal(r):
    return f"{r.uniform(0, 5000):.2f}".replace(".", ",")


def date(r):
    return f"20{r.randrange(10, 30)}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}"


def moment(r):
    return f"{date(r)} {r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}"


def word(r):
    return r.choice(WORDS)


def sentence(r):
    return r.choice([" ", ", ", "; ", " | ", ": ", " - "]).join(r.choice(WORDS) for _ in range(r.randrange(1, 5)))


def quoted_sentence(r):
    return f'{word(r)} "{word(r)}" {sentence(r)}'


def address(r):
    return f"https://{word(r).lower().replace(chr(39), '')}.example/{r.randrange(1000)}?a={r.randrange(9)}"


def empty(r):
    return r.choice(["", word(r), ""])


KINDS = [integer, integer, decimal, date, moment, word, word, sentence, empty]


def field(text, delimiter, quote, always):
    if quote and (always or any(c in text for c in (delimiter, quote, "\n", "\r"))):
        return quote + text.replace(quote, quote * 2) + quote
    return text


def file(seed, plain=False):
    """(bytes, what it was written in): delimiter, quote (None: nothing is quoted), header, skip_rows, comment, columns."""
    r = random.Random(seed)
    delimiter = "," if plain else r.choice(DELIMITERS[:4] * 3 + DELIMITERS[4:])
    quote = '"' if plain or r.random() < 0.75 else "'"
    always = r.random() < 0.15
    kinds = [r.choice(KINDS) for _ in range(r.randrange(2, 9))]
    if not plain:
        kinds += [k for k in (quoted_sentence, address, comma_decimal) if r.random() < 0.2]
    if not always and delimiter == ":":
        kinds = [k for k in kinds if k not in (moment, address)] or [integer, word]
    rows = [[k(r) for k in kinds] for _ in range(r.choice([3, 5, 10, 40, 200]))]
    header = plain or r.random() < 0.8
    end = r.choice(["\n", "\n", "\r\n"])
    lines = [[f"{r.choice(WORDS).lower().replace(chr(39), '')}_{i}" for i in range(len(kinds))]] * header + rows
    text = "".join(delimiter.join(field(v, delimiter, quote, always) for v in row) + end for row in lines)
    if quote not in text:
        quote = None
    skip, comment = 0, ""
    extra = 0 if plain else r.random()
    if extra > 0.85:
        skip = r.randrange(1, 5)
        text = "".join(f"{r.choice(['Report of', 'Export', 'Printed by'])} {word(r)} {word(r)}{end}" for _ in range(skip)) + text
    elif extra > 0.75:
        comment = "#"
        text = "".join(f"# {sentence(r)} of {word(r)}{end}" for _ in range(r.randrange(1, 4))) + text
    known = {"delimiter": delimiter, "quote": quote, "header": bool(header), "skip_rows": skip, "comment": comment, "columns": len(kinds)}
    return text.encode(), known
