"""The README's chart: wall time by task and tool on lineitem, as a small SVG without scripts or fonts of its own."""
from xml.sax.saxutils import escape

TITLES = {"read": "read typed and drop", "snappy": "to Parquet, snappy", "zstd": "to Parquet, zstd", "json": "to JSON records",
          "drain-snappy": "snappy read as Arrow", "drain-zstd": "zstd read as Arrow"}
LEFT, WIDTH, BAR, GAP = 190, 900, 18, 4


def draw(everything):
    results = [r for r in everything["results"] if r["shape"] == "lineitem"]
    parts, y = [], 58
    for result in results:
        longest = max(t["wall"] for t in result["tools"].values())
        parts.append(f'<text x="12" y="{y}" class="task">{"Parquet" if result["task"].startswith("drain") else "CSV"} '
                     f'{escape(TITLES[result["task"]])} '
                     f'({result["bytes"] / 1e6:.0f} MB)</text>')
        y += 10
        for tool, figures in sorted(result["tools"].items(), key=lambda item: item[1]["wall"]):
            length = max(2, figures["wall"] / longest * (WIDTH - LEFT - 120))
            ours = "ours" if tool == "dativo" else "peer"
            parts.append(f'<text x="{LEFT - 8}" y="{y + 13}" class="tool">{escape(tool)}</text>'
                         f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" class="{ours}"/>'
                         f'<text x="{LEFT + length + 6:.1f}" y="{y + 13}">{figures["wall"]:.2f} s</text>')
            y += BAR + GAP
        y += 26
    machine = everything["machine"]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" font-size="13">'
            "<style>text{fill:#333}.task{font-weight:bold}.tool{text-anchor:end}.ours{fill:#d9480f}.peer{fill:#adb5bd}"
            "@media(prefers-color-scheme:dark){text{fill:#ddd}.peer{fill:#666}}</style>"
            f'<text x="12" y="24" font-size="15">{everything["rows"]:,} rows of TPC-H lineitem, median of '
            f'{everything["rounds"]}, {machine["cores"]} cores, {escape(machine["cpu"])}; shorter is better</text>'
            + "".join(parts) + "</svg>\n")
