# Two commands do everything on a fresh Debian machine: `make run` and `make test`.
export WELLWARD_STRICT = 1
PORT ?= 8080
SPEED ?= 60
PACKAGES = libmosquitto-dev libmodbus-dev libsqlite3-dev libcurl4-openssl-dev zlib1g-dev mosquitto pkg-config tzdata curl openssl
TEST_PACKAGES = chromium fonts-noto-cjk python3-venv fiu-utils faketime shellcheck systemd man-db
# Tests that need the machine to themselves: side by side on two cores they starve one another.
HEAVY = StormTests|DiskTests
KILLS_TOO = KillTests|ClockTests
# A hundred villages use a processor for most of a minute, beside which no line of 9600 baud keeps its time.
VILLAGES = RehearsalTests
# Programs enough of their own to starve the way through the house, should they run beside it.
DOORS = DescriptorTests|RecordTests|DoctorTests|OldTransportTests|IdleConnectionTests|BrokerGoneTests|GarbageTests|BrokerTroubleTests|ConnectionTroubleTests
# What compares cost or time within one run, and the whole way of an alarm: one test after another, beside none.
ALONE = AttackTests|FloodTests|ShutdownTests|TalkativeTopicTests|OldRecordTests|UnwritableRecordTests|WayThroughTheHouseTests
OWN_SWIFT = Package.swift Sources Tests

.PHONY: attack rehearse check-deploy deb deb-test sanitize kills run test lint evaluate fuzz soak format bench screenshot packages test-packages test-tools

run: packages
	swift build --product wellward
	.build/debug/wellward demo --port $(PORT) --speed $(SPEED)

test: packages test-tools lint check-deploy
	swift build --build-tests
	swift test --skip-build --skip "$(HEAVY)|$(KILLS_TOO)|$(VILLAGES)|$(DOORS)|$(ALONE)"
	swift test --skip-build --no-parallel --filter "$(ALONE)"
	swift test --skip-build --filter "$(HEAVY)"
	swift test --skip-build --filter "$(KILLS_TOO)"
	swift test --skip-build --filter "$(VILLAGES)"
	swift test --skip-build --filter "$(DOORS)" --skip "$(ALONE)"

# Installs what is missing; asks for nothing where all is there.
packages:
	@missing=""; for p in $(PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q "ok installed" || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; $(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q $$missing; fi

test-packages:
	@missing=""; for p in $(TEST_PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q "ok installed" || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; $(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q $$missing; fi

# Independent receivers and the browser's driver, from PyPI, in a folder of their own.
test-tools: test-packages .build-python/ready .build-tools/promtool

# Out of Debian's package, without the service that the package would start.
.build-tools/promtool:
	@mkdir -p .build-tools; if command -v promtool >/dev/null; then ln -sf "$$(command -v promtool)" $@; else \
	cd .build-tools && apt-get download -q prometheus && dpkg -x prometheus_*.deb unpacked && cp unpacked/usr/bin/promtool . && rm -rf unpacked prometheus_*.deb; fi

.build-python/ready: Tests/requirements.txt
	python3 -m venv .build-python
	.build-python/bin/pip install -q --disable-pip-version-check -r Tests/requirements.txt
	touch $@

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

lint:
	swift format lint --strict --recursive --parallel $(OWN_SWIFT)

format:
	swift format --in-place --recursive --parallel $(OWN_SWIFT)

# Release build; prints ratios against plain C in the same run. SOAK=600 measures memory and idle time as well.
bench: packages test-tools
	swift build -c release --product wellward-bench
	swift build -c release --product wellward
	DATA=$(DATA) .build/release/wellward-bench

# The picture in the README, made by the project itself.
screenshot: packages test-packages
	swift build --product wellward
	Deploy/screenshot.sh $(PORT)

# The detector against plain and published rules. DATA=folder of recorded registers (CSV); without it, homes made from seeds.
evaluate: packages
	swift build -c release --product wellward
	.build/release/wellward evaluate $(if $(DATA),$(wildcard $(DATA)/*.csv))
	.build/release/wellward evaluate --boarding

# The seeded garbage that `make test` feeds to every parser in short: INPUTS for each. PARSERS=name,name for some of them.
INPUTS ?= 10000000
fuzz: packages
	swift build -c release --product wellward-bench
	INPUTS=$(INPUTS) .build/release/wellward-bench garbage

# Unit, alert rules, dashboard; a tool that is not installed is said and skipped.
check-deploy:
	PATH="$(CURDIR)/.build-tools:$$PATH" Deploy/check.sh

# A Debian package of a release build with Swift's run time inside, in .build/deb. Of ICU's data it holds the two languages and the time zones:
# with all of it the package would be half as large again.
deb: packages
	mkdir -p .build-static
	data=$$(Deploy/icu-data.py .build-static/icu.o) && swift build -c release --static-swift-stdlib --scratch-path .build-static --product wellward \
		-Xlinker --wrap=$$data -Xlinker $(CURDIR)/.build-static/icu.o -Xlinker --no-export-dynamic
	Deploy/deb.sh .build-static/release/wellward .build/deb

# Installs, upgrades, removes and purges it in a clean root made with debootstrap (as root).
deb-test: deb
	Deploy/deb-test.sh $$(ls -t .build/deb/*.deb | head -1)

# A hundred kills under load: of the program, of the power, with a lying disk, a full one and a failing one. TROUBLES=… SEED=… for some.
kills: packages test-tools
	swift build --build-tests
	KILLS=100 swift test --skip-build --filter KillTests

# Floods against the console of a gateway under its unit's limits, for ATTACK seconds, while home after home collapses: the alarm goes out in time,
# links open, people who have signed in act. One round of it is in `make test`.
ATTACK ?= 600
attack: packages
	swift build --build-tests
	ATTACK=$(ATTACK) swift test --skip-build --filter AttackTests

# The tests under ThreadSanitizer and AddressSanitizer, built program included, but for those that need their time. Slow. Leaks are not asked
# about: at the end of a test process XCTest and Foundation's Process leave some, and nothing else was found.
UNHURRIED = KillTests|AttackTests|DiskTests|RehearsalTests|BrowserTests|StormTests|EvaluationTests|BoardingModel
sanitize: packages test-tools
	swift test --sanitize=thread --scratch-path .build-tsan --skip "$(UNHURRIED)|GarbageTests"
	ASAN_OPTIONS=detect_leaks=0 swift test --sanitize=address --scratch-path .build-asan --skip "$(UNHURRIED)"

# A village of a hundred homes and ten lifts for a year, its troubles from a seed, every promise checked: SEEDS of them from SEED on.
SEED ?= 1
SEEDS ?= 5
rehearse: packages
	swift build -c release --product wellward
	.build/release/wellward rehearse --seed $(SEED) --seeds $(SEEDS)

# The boarding model much wider than `make test` walks it, an hour of line schedules from LINE_SEED on, years of rehearsed villages, and ten minutes of a gateway's memory and idle time.
LINE_SECONDS ?= 3600
soak: packages
	swift build --build-tests
	BOARDING_STATES=500000 swift test --skip-build --filter BoardingModel
	LINE_SECONDS=$(LINE_SECONDS) swift test --skip-build --filter LineScheduleTests
	$(MAKE) rehearse
	SOAK=600 $(MAKE) bench
