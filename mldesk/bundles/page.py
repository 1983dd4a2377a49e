"""The page at /docs: what the model takes, and a form to try it. One file, no network, any theme."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #3b6fd4; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
p.lead { margin-top: .25rem; opacity: .75; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .25rem .5rem; border: 1px solid var(--line);
  border-radius: 6px; background: transparent; color: inherit; }
button { font: inherit; padding: .4rem 1.2rem; border: 0; border-radius: 6px; background: var(--accent); color: #fff; }
button:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
pre { background: var(--soft); padding: .8rem; border-radius: 8px; overflow-x: auto; white-space: pre-wrap; }
"""
_SCRIPT = """
const form = document.getElementById('try'), out = document.getElementById('answer');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const row = {};
  for (const field of form.querySelectorAll('input')) {
    row[field.name] = field.value === '' ? null : field.value;
  }
  out.textContent = '…';
  try {
    const answer = await fetch('/predict', {method: 'POST', headers: {'Content-Type': 'application/json'},
      body: JSON.stringify({rows: [row]})});
    out.textContent = JSON.stringify(await answer.json(), null, 2);
  } catch (error) {
    out.textContent = 'The server does not answer: ' + error;
  }
});
"""


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


# Only this style and this script run, whatever a column's name may hold; and they reach this server only.
POLICY = (f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; connect-src 'self'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")


def render(model: Mapping[str, Any]) -> str:
    """Return the page for what ``Predictor.describe`` says, plus its "name" and an "example" row."""
    example: Mapping[str, Any] = model["example"][0] if model["example"] else {}
    fields = "\n".join(_field(column, example.get(column["name"])) for column in model["input"])
    outputs = ", ".join(f"<code>{html.escape(name)}</code>" for name in model["output"][:30])
    more = f" and {len(model['output']) - 30} more" if len(model["output"]) > 30 else ""
    request = json.dumps({"rows": [dict(example)]}, ensure_ascii=False, indent=1)
    kind = model["task"].replace("_", " ")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(model["name"])}</title><style>{_STYLE}</style></head><body>
<h1>{html.escape(model["name"])}</h1>
<p class="lead">Predicts <b>{html.escape(model["target"])}</b> ({html.escape(kind)}, {html.escape(model["estimator"])}).
An MLDesk model, on this machine.</p>
<h2>Try it</h2>
<form id="try"><table><thead><tr><th>Column</th><th>Type</th><th>Value</th></tr></thead><tbody>
{fields}
</tbody></table><p><button>Predict</button></p></form>
<pre id="answer" aria-live="polite">The answer appears here.</pre>
<h2>From a program</h2>
<table><tbody>
<tr><td><code>POST /predict</code></td><td>rows as JSON; gives {outputs}{more} for each</td></tr>
<tr><td><code>GET /schema</code></td><td>the columns the model takes and gives</td></tr>
<tr><td><code>GET /health</code></td><td>whether it is ready</td></tr>
<tr><td><code>GET /openapi.json</code></td><td>all of this, for tools</td></tr>
</tbody></table>
<pre>curl -H 'Content-Type: application/json' -d @rows.json <i>this address</i>/predict

rows.json:
{html.escape(request)}</pre>
<p>A missing value is <code>null</code>. Every column must be there; others are ignored.</p>
<script>{_SCRIPT}</script></body></html>
"""


def _field(column: Mapping[str, Any], value: object) -> str:
    name = html.escape(column["name"], quote=True)
    shown = "" if value is None else html.escape(str(value), quote=True)
    return (f'<tr><td>{name}</td><td>{html.escape(column["type"])}</td>'
            f'<td><input name="{name}" value="{shown}" aria-label="{name}"></td></tr>')
