#!/usr/bin/env bash
# Checks what lies in Deploy without building anything:
#   the unit's exposure, the alert rules and their tests, the dashboard, the shell scripts,
#   and that every metric they name is one the gateway has.
# A tool that is not installed is said and skipped, but not in CI. Exit code 1 when something is wrong.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
wrong=0 skipped=0
good() { echo "  good     $*"; }
bad() { echo "  WRONG    $*"; wrong=1; }
skip() { echo "  skipped  $*"; skipped=$((skipped + 1)); }
have() { command -v "$1" >/dev/null; }

# Metrics that are named here before the gateway has them; take each out when Sources has it.
awaited=""

unit=Deploy/wellward.service
rules=Deploy/prometheus/wellward.rules.yml
dashboard=Deploy/grafana/wellward-dashboard.json
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "unit"
if have systemd-analyze; then
  # --threshold counts in tenths.
  if said=$(systemd-analyze security --offline=yes --no-pager --threshold=15 $unit 2>&1); then
    good "$(grep -o 'Overall exposure.*: [0-9.]*' <<<"$said"), at most 1.5"
  else
    bad "exposure above 1.5: $(tail -1 <<<"$said")"
  fi
  # The program and its manual need not be installed here.
  said=$(systemd-analyze verify --man=no $unit 2>&1 | grep -v 'is not executable: No such file\|^$')
  if [ -z "$said" ]; then good "every key is known"; else bad "$said"; fi
else
  skip "exposure: systemd-analyze is not installed (apt install systemd)"
fi

echo "alert rules"
if have promtool; then
  if said=$(promtool check rules $rules 2>&1); then good "$(grep -o '[0-9]* rules found' <<<"$said")"; else bad "$said"; fi
  if said=$(promtool test rules Deploy/prometheus/wellward.rules.test.yml 2>&1); then good "their tests pass"; else bad "$said"; fi
  for alert in $(sed -n 's/.*- alert: //p' $rules); do
    grep -q "$alert" Deploy/prometheus/wellward.rules.test.yml || bad "no test names $alert"
  done
else
  skip "alert rules: promtool is not installed (apt install prometheus)"
fi

echo "dashboard"
if have python3; then
  if said=$(python3 - $dashboard "$scratch/queries.yml" 2>&1 <<'PYTHON'
import json, sys
board = json.load(open(sys.argv[1], encoding="utf-8"))
assert board["schemaVersion"] == 39, "schemaVersion is not 39"
names = [entry["name"] for entry in board["templating"]["list"]]
assert "datasource" in names, "there is no variable for the data source"
panels = board["panels"]
ids = [panel["id"] for panel in panels]
assert len(ids) == len(set(ids)), "two panels have one id"
places, queries = [], []
for panel in panels:
    place = panel["gridPos"]
    assert place["x"] + place["w"] <= 24, f"{panel['title']} is too wide"
    for other in places:
        apart = (place["x"] >= other["x"] + other["w"] or other["x"] >= place["x"] + place["w"]
                 or place["y"] >= other["y"] + other["h"] or other["y"] >= place["y"] + place["h"])
        assert apart, f"{panel['title']} covers another panel"
    places.append(place)
    for target in panel.get("targets", []):
        assert target["datasource"]["uid"] == "${datasource}", f"{panel['title']} is bound to one data source"
        queries.append(target["expr"])
# As recording rules, so that promtool reads the queries too.
with open(sys.argv[2], "w", encoding="utf-8") as out:
    out.write("groups:\n- name: dashboard\n  rules:\n")
    for number, query in enumerate(queries):
        out.write(f"  - record: query_{number}\n    expr: {json.dumps(query.replace('$instance', '.*'))}\n")
print(f"{len(panels)} panels, {len(queries)} queries")
PYTHON
  ); then
    good "$said"
    if have promtool; then
      if said=$(promtool check rules "$scratch/queries.yml" 2>&1); then good "promtool reads its queries"; else bad "$said"; fi
    else
      skip "the dashboard's queries: promtool is not installed (apt install prometheus)"
    fi
  else
    bad "$dashboard: $(tail -1 <<<"$said")"
  fi
else
  skip "dashboard: python3 is not installed (apt install python3)"
fi

echo "metrics"
had=$(grep -rhoE '"wellward_[a-z_]+"' Sources --include='*.swift' | tr -d '"' | sort -u)
named=$(grep -hoE 'wellward_[a-z_]+' $rules $dashboard | sort -u)
unknown=0
for metric in $named; do
  if grep -qx "$metric" <<<"$had"; then
    if grep -qw "$metric" <<<"$awaited"; then echo "  note     $metric is there now: take it out of the awaited ones in Deploy/check.sh"; fi
  elif ! grep -qw "$metric" <<<"$awaited"; then
    bad "$metric is named in the rules or the dashboard, and no source has it"
    unknown=1
  fi
done
[ $unknown = 1 ] || good "$(wc -l <<<"$named") metrics are named, and each is the gateway's"
for metric in $awaited; do
  grep -qx "$metric" <<<"$had" || echo "  awaited  $metric"
done
# A family of the exposition text that no panel shows.
for metric in $(grep -rhoE '"wellward_[a-z_]+", *"(gauge|counter|histogram)"' Sources --include='*.swift' | grep -oE 'wellward_[a-z_]+' | sort -u); do
  grep -q "$metric" $dashboard || bad "$metric has no panel in $dashboard"
done

echo "scripts"
for script in Deploy/*.sh Deploy/debian/postinst Deploy/debian/prerm Deploy/debian/postrm; do
  shell=bash
  case $(head -1 "$script") in *'/sh'*) shell="sh" ;; esac
  $shell -n "$script" || bad "$script"
done
if have shellcheck; then
  if shellcheck -S warning Deploy/*.sh Deploy/debian/postinst Deploy/debian/prerm Deploy/debian/postrm; then good "shellcheck is silent"; else bad "shellcheck"; fi
else
  skip "shellcheck is not installed (apt install shellcheck)"
fi

echo "words"
if have man; then
  said=$(LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -l -Tutf8 Deploy/debian/wellward.1 2>&1 >/dev/null)
  if [ -z "$said" ]; then good "the manual page"; else bad "$said"; fi
else
  skip "the manual page: man is not installed (apt install man-db)"
fi

[ $skipped = 0 ] || echo "$skipped checks were skipped."
# Where nobody reads what was skipped, nothing may be.
[ "${CI:-}" != true ] || [ $skipped = 0 ] || wrong=1
exit $wrong
