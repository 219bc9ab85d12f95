#!/usr/bin/env bash
# Installs, runs, upgrades, removes and purges a package in a clean Debian 12, and says what it could not test.
#
#   sudo Deploy/deb-test.sh DEB [FOLDER]      # FOLDER: where the root is built; default /var/tmp
#
# 1  a fresh root (debootstrap), without systemd: files, rights, user, the program by hand as the service's user, upgrade, remove, purge,
#    and whether anything is left, as piuparts asks
# 2  the same root with systemd as process 1, in namespaces of its own: the unit as it is shipped, its watchdog, a faulty configuration,
#    upgrade and purge of a running service. Skipped, and said, where this machine does not allow it.
#
# Needs root, debootstrap, curl, perl and util-linux; lintian if it is there. The mirror and the proxy are this machine's own.
# Takes some minutes. The root is deleted at the end; KEEP=1 keeps it.
set -uo pipefail
deb=$(readlink -f "${1:?usage: deb-test.sh DEB [FOLDER]}")
base=${2:-/var/tmp}
die() { echo "deb-test.sh: $*" >&2; exit 2; }
[ "$(id -u)" = 0 ] || die "run it as root: it makes a root file system"
[ -f "$deb" ] || die "$deb is not there; Deploy/deb.sh makes it"
for tool in debootstrap curl perl unshare nsenter dpkg-deb ip; do command -v $tool >/dev/null || die "$tool is missing"; done

failures=0 untested=()
good() { echo "  good    $*"; }
bad() { echo "  FAILED  $*"; failures=$((failures + 1)); }
heading() { echo; echo "$*"; }
untested() { untested+=("$*"); }
# expect WHAT COMMAND…: the command succeeds
expect() { local what=$1; shift; if "$@" >"$work/said" 2>&1; then good "$what"; else bad "$what: $(tail -3 "$work/said" | tr '\n' ' ')"; fi; }
# same WHAT GOT WANTED
same() { if [ "$2" = "$3" ]; then good "$1"; else bad "$1: got '$2', wanted '$3'"; fi; }
# eventually SECONDS COMMAND…
eventually() { local left=$(($1 * 5)); shift; until "$@" >/dev/null 2>&1; do left=$((left - 1)); [ $left -gt 0 ] || return 1; sleep 0.2; done; }

work=$(mktemp -d "$base/wellward-deb-test.XXXXXX")
root=$work/root
held=() net=
leave() {
  exec 2>/dev/null
  for pid in "${held[@]}"; do kill -KILL "$pid" 2>/dev/null; done
  wait 2>/dev/null
  for place in proc sys dev/pts dev; do umount -l "$root/$place" 2>/dev/null; done
  if [ -n "${KEEP:-}" ]; then echo "kept: $work"; elif mountpoint -q "$root/proc"; then echo "still mounted, not deleted: $work"; else rm -rf --one-file-system "$work"; fi
}
trap leave EXIT
trap 'exit 130' INT TERM

clean=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive)
in_root() { chroot "$root" "${clean[@]}" "$@"; }
apt() { in_root apt-get -q -y -o Dpkg::Use-Pty=0 "$@"; }
# In a network of its own, so that no port of this machine matters.
unshare --net sleep infinity & net=$!
held+=("$net")
apart() { [ "$(readlink "/proc/$net/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
eventually 5 apart || die "no network of its own can be made here"
alone=(nsenter --net="/proc/$net/ns/net")
eventually 5 "${alone[@]}" ip link set lo up || die "no network of its own can be made here"

version=$(dpkg-deb -f "$deb" Version)
arch=$(dpkg-deb -f "$deb" Architecture)
echo "$(basename "$deb"): version $version, $arch, $(($(stat -c %s "$deb") / 1048576)) MB, installed $(($(dpkg-deb -f "$deb" Installed-Size) / 1024)) MB"
[ "$arch" = "$(dpkg --print-architecture)" ] || die "a package for $arch is tested on a machine of that kind"

heading "the package"
if [ "$(dpkg-deb -f "$deb" Installed-Size)" -lt $((60 * 1024)) ]; then good "under 60 MB installed"; else bad "60 MB installed or more"; fi
same "everything belongs to root" "$(dpkg-deb -c "$deb" | awk '{print $2}' | sort -u)" "root/root"
if command -v lintian >/dev/null; then
  lintian --fail-on error,warning --allow-root "$deb" >"$work/lintian" 2>&1 && good "lintian has no errors and no warnings" || { bad "lintian"; sed 's/^/          /' "$work/lintian"; }
else
  untested "lintian is not installed here"
fi

# MARK: 1

heading "a clean root"
suite=bookworm
# The first source that offers the suite, whatever the form of the list.
mirror=$(
  { sed -n 's/^deb \(\[.*\] \)\?\(http[^ ]*\) '$suite' .*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list
    awk -v suite=$suite 'BEGIN{RS=""; FS="\n"} {u="";s="";t="";for(i=1;i<=NF;i++){if($i~/^URIs:/){split($i,a," ");u=a[2]} if($i~/^Suites:/)s=$i; if($i~/^Types:/)t=$i}
      if(u!="" && t~/deb( |$)/ && s~("[ ]" suite "( |$)"))print u}' /etc/apt/sources.list.d/*.sources; } 2>/dev/null | head -1
)
[ -n "$mirror" ] || die "this machine's apt knows no source for $suite"
proxy=$(apt-config dump 2>/dev/null | sed -n 's/^Acquire::http::Proxy "\(.*\)";$/\1/p')
if ! http_proxy=${proxy:-${http_proxy:-}} debootstrap --variant=minbase $suite "$root" "$mirror" >"$work/debootstrap.log" 2>&1; then
  tail -5 "$work/debootstrap.log"
  die "debootstrap failed"
fi
rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d"
cp -a /etc/apt/sources.list.d "$root/etc/apt/" 2>/dev/null
cp -a /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null
find "$root/etc/apt/sources.list.d" -type f ! -name '*.list' ! -name '*.sources' -delete
apt-config dump | grep -E '^Acquire::(http|https)(::[^ ]*)?::?Proxy' >"$root/etc/apt/apt.conf.d/01test" || true
for source in "$root"/etc/apt/sources.list.d/*; do
  # Keys that a source names.
  for key in $(grep -ohE '/usr/share/keyrings/[^] ]+|/etc/apt/keyrings/[^] ]+' "$source" 2>/dev/null); do install -D -m 644 "$key" "$root$key"; done
done
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --bind /dev "$root/dev"
mount --bind /dev/pts "$root/dev/pts"
# Nothing is started while packages are installed in a root without systemd.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
apt update >"$work/apt.log" 2>&1 || { tail -5 "$work/apt.log"; die "apt-get update failed in the root"; }
good "$(cat "$root/etc/debian_version"), $(in_root dpkg-query -W | wc -l) packages"

listing() {
  (cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./run -o -path ./var/cache -o -path ./var/log \
    -o -path ./var/lib/apt -o -path ./var/lib/dpkg -o -path ./root \) -prune -o -printf '%p %y\n' | sort)
}
accounts() { cut -d: -f1 "$root/etc/passwd" "$root/etc/group" | sort; }
listing >"$work/before"
accounts >"$work/accounts-before"

put_package() { cp "$1" "$root/var/cache/$2.deb"; }
put_package "$deb" old

heading "install"
if apt install --no-install-recommends /var/cache/old.deb >"$work/apt.log" 2>&1; then good "apt install, with what it depends on"; else tail -20 "$work/apt.log"; bad "apt install"; exit 1; fi
same "state" "$(in_root dpkg-query -W -f '${Status}' wellward)" "install ok installed"
expect "files as packed (dpkg --verify)" test -z "$(in_root dpkg --verify wellward)"
grep -q 'not found' <<<"$(in_root ldd /usr/bin/wellward)" && bad "a library is missing" || good "every library is there"
rights() { stat -c '%a %U:%G' "$root$1"; }
in_root_rights() { in_root stat -c '%a %U:%G' "$1" 2>/dev/null; }
same "/etc/wellward" "$(in_root_rights /etc/wellward)" "750 root:wellward"
same "/etc/wellward/wellward.yaml" "$(in_root_rights /etc/wellward/wellward.yaml)" "640 root:wellward"
same "/var/lib/wellward" "$(in_root_rights /var/lib/wellward)" "700 wellward:wellward"
same "/usr/bin/wellward" "$(rights /usr/bin/wellward)" "755 root:root"
same "user" "$(in_root getent passwd wellward | cut -d: -f5-7)" "Wellward gateway,,,:/var/lib/wellward:/usr/sbin/nologin"
same "groups" "$(in_root id -Gn wellward)" "wellward"
same "no password" "$(in_root getent shadow wellward | cut -d: -f2 | tr -d '!*')" ""
same "enabled" "$(in_root readlink /etc/systemd/system/multi-user.target.wants/wellward.service)" "/lib/systemd/system/wellward.service"
expect "another user cannot look into /etc/wellward" in_root setpriv --reuid nobody --regid nogroup --clear-groups sh -c '! ls /etc/wellward && ! ls /var/lib/wellward'
expect "bash completion parses" in_root bash -n /usr/share/bash-completion/completions/wellward
for path in /usr/share/wellward/DeviceProfiles/meters/tuf-2000m.yaml /usr/share/wellward/DeviceProfiles/elevators/wellward-elevator.yaml /lib/systemd/system/wellward.service \
  /usr/lib/tmpfiles.d/wellward.conf /usr/lib/sysusers.d/wellward.conf /usr/share/wellward/mosquitto/wellward.acl /usr/share/wellward/wellward.example.yaml \
  /usr/share/zsh/vendor-completions/_wellward /usr/share/fish/vendor_completions.d/wellward.fish /usr/share/doc/wellward/changelog.Debian.gz \
  /usr/share/doc/wellward/copyright /usr/share/man/man1/wellward.1.gz /usr/share/wellward/prometheus/wellward.rules.yml; do
  [ -s "$root$path" ] || bad "$path is not there"
done

# As the unit would: its user, its group, its folder, its umask, nothing of ours.
as_wellward=(setpriv --reuid wellward --regid wellward --init-groups --no-new-privs --inh-caps=-all)
by_hand() { in_root "${as_wellward[@]}" sh -c 'umask 077; cd /var/lib/wellward && exec "$@"' sh "$@"; }

heading "the program by hand"
same "wellward --version" "$(in_root wellward --version | sed -n '1{s/^wellward //; s/[+ ].*//; p}')" "$(sed 's/-[^-]*$//; s/~/-/' <<<"$version")"
expect "the shipped configuration is good" by_hand wellward config check /etc/wellward/wellward.yaml
expect "the complete example is good" by_hand wellward config check /usr/share/wellward/wellward.example.yaml
expect "the shipped profiles pass their golden frames" by_hand wellward profile test /usr/share/wellward/DeviceProfiles
touch "$work/body"
web() { "${alone[@]}" curl -s -m 5 -o "$work/body" -w '%{http_code}' ${token:+-H "Authorization: Bearer $token"} "http://127.0.0.1:8080$1" 2>/dev/null; }
answers() { [ "$(web "$1")" = 200 ]; }
token=
gateway=
# Starts the gateway as the service would be, with a stand-in for systemd's notification socket.
start() {
  rm -f "$root/run/notify" "$work/notified"
  perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($ARGV[0])) or die; chmod 0777, $ARGV[0]; open(my $o, ">>", $ARGV[1]) or die; select($o); $| = 1;
    while (defined recv($s, my $m, 4096, 0)) { print "$m\n" }' "$root/run/notify" "$work/notified" &
  listener=$!
  held+=("$listener")
  eventually 5 test -S "$root/run/notify"
  "${alone[@]}" chroot "$root" "${clean[@]}" NOTIFY_SOCKET=/run/notify "${as_wellward[@]}" sh -c 'umask 077; cd /var/lib/wellward && exec /usr/bin/wellward run --config /etc/wellward/wellward.yaml' \
    2>>"$work/gateway.log" &
  gateway=$!
  held+=("$gateway")
  eventually 20 answers /healthz
}
stop() {
  local began=$SECONDS
  kill -TERM "$gateway" 2>/dev/null
  wait "$gateway" 2>/dev/null
  local code=$? took=$((SECONDS - began))
  kill "$listener" 2>/dev/null
  [ $code = 0 ] && [ $took -le 5 ]
}
if start; then good "starts with the shipped configuration and answers"; else bad "does not answer"; tail -5 "$work/gateway.log"; fi
expect "tells systemd that it is ready" eventually 5 grep -qx 'READY=1' "$work/notified"
expect "feeds the watchdog" eventually 5 grep -qx 'WATCHDOG=1' "$work/notified"
same "without a users file the console is shut" "$(web /api/v1/households)" 503
expect "ends within five seconds of SIGTERM" stop
grep -qx 'STOPPING=1' "$work/notified" && good "says goodbye to systemd" || bad "says no goodbye to systemd"

heading "an administrator's configuration"
expect "the first account" by_hand sh -c 'umask 077; echo "ten letters long" >pw && wellward user add wang --role admin --password-file pw --users-file /var/lib/wellward/users.yaml && rm pw'
token=$(by_hand wellward token add test --role admin --users-file /var/lib/wellward/users.yaml)
same "users.yaml" "$(in_root_rights /var/lib/wellward/users.yaml)" "600 wellward:wellward"
cat >"$root/etc/wellward/wellward.yaml" <<'YAML'
# Changed by the administrator.
site: { id: test-site, name: 测试, timezone: Asia/Shanghai }
language: en
storage: { path: /var/lib/wellward/wellward.sqlite, commit_every: 200ms }
console: { listen: "127.0.0.1:8080", users_file: /var/lib/wellward/users.yaml }
buses:
  - { id: net, transport: tcp, host: 127.0.0.1, port: 1502 }
meters:
  - { id: wm-1, bus: net, unit: 1, profile: tuf-2000m, poll: 1s }
households:
  - { id: h-1, name: 张阿婆, address: 3号楼101, meter: wm-1, consent: { given: 2026-05-01, by: 本人 }, contacts: [committee] }
contacts:
  - { id: committee, name: 居委会, role: committee, channels: [out] }
channels:
  - { id: out, kind: file, path: /var/lib/wellward/notices.jsonl }
YAML
expect "its rights stay" test "$(in_root_rights /etc/wellward/wellward.yaml)" = "640 root:wellward"
expect "it is good" by_hand wellward config check /etc/wellward/wellward.yaml
meters=
simulate() {
  "${alone[@]}" chroot "$root" "${clean[@]}" "${as_wellward[@]}" wellward simulate --config /etc/wellward/wellward.yaml >"$work/simulate.log" 2>&1 &
  meters=$!
  held+=("$meters")
  eventually 10 grep -q '^net ' "$work/simulate.log"
}
readings() { web '/api/v1/meters/wm-1/readings?point=volume_total&limit=5000' >/dev/null; grep -o '"received_at"' "$work/body" | wc -l; }
read_some() { [ "$(readings)" -ge "$1" ]; }
expect "the simulated meter" simulate
expect "starts" start
same "a stranger is asked who he is" "$(t=$token; token=; web /api/v1/households; token=$t)" 401
expect "is ready when every meter was asked" eventually 20 answers /readyz
expect "readings arrive" eventually 20 read_some 5
says() { web "$1" >/dev/null; grep -q "$2" "$work/body"; }
expect "the home is there, with its name" says /api/v1/households 张阿婆
says /metrics '^wellward_build_info' && ! grep -q 'h-1\|张\|3号楼' "$work/body" && good "metrics name nobody" || bad "metrics"
grep -q '张\|3号楼' "$work/gateway.log" && bad "the log names somebody" || good "the log names nobody"
same "the store and its log" "$(in_root find /var/lib/wellward -name 'wellward.sqlite*' -printf '%m %u\n' | sort -u)" "600 wellward"
echo 'nonsense: [' >>"$root/etc/wellward/wellward.yaml"
kill -HUP "$gateway" 2>/dev/null
expect "a faulty configuration is refused at reload, the old one stays" eventually 10 grep -q 'not reloaded' "$work/gateway.log"
sed -i '/^nonsense/d' "$root/etc/wellward/wellward.yaml"
answers /healthz && good "and it goes on" || bad "it is gone after the reload"

heading "upgrade while it runs"
mkdir "$work/newer"
dpkg-deb -R "$deb" "$work/newer"
newer=$(sed 's/-[^-]*$//' <<<"$version").1-1
sed -i "s/^Version: .*/Version: $newer/" "$work/newer/DEBIAN/control"
echo "# of the newer package" >"$work/newer/usr/share/wellward/DeviceProfiles/NEWER"
dpkg-deb --root-owner-group -Zgzip --build "$work/newer" "$work/newer.deb" >/dev/null
put_package "$work/newer.deb" new
before=$(readings)
checksum=$(sha256sum <"$root/etc/wellward/wellward.yaml")
chmod 600 "$root/etc/wellward/wellward.yaml"
in_root chown wellward /etc/wellward/wellward.yaml
rm "$root/etc/systemd/system/multi-user.target.wants/wellward.service"
expect "apt install of a newer package asks nothing" apt install /var/cache/new.deb
same "version" "$(in_root dpkg-query -W -f '${Version}' wellward)" "$newer"
[ -e "$root/usr/share/wellward/DeviceProfiles/NEWER" ] && good "new files are there" || bad "new files are missing"
same "the administrator's configuration" "$(sha256sum <"$root/etc/wellward/wellward.yaml")" "$checksum"
same "and its changed rights" "$(in_root_rights /etc/wellward/wellward.yaml)" "600 wellward:wellward"
[ -e "$root/etc/systemd/system/multi-user.target.wants/wellward.service" ] && bad "a disabled service was enabled again" || good "a disabled service stays disabled"
answers /healthz && good "the old program ran on meanwhile" || bad "the old program died during the upgrade"
expect "it stops" stop
expect "the new one starts" start
expect "with the readings of the old one" eventually 10 read_some "$before"
expect "and adds to them" eventually 20 read_some $((before + 3))
expect "it stops" stop
expect "the audit chain is sound" by_hand wellward audit verify --config /etc/wellward/wellward.yaml
kill "$meters" 2>/dev/null

heading "the broker's settings"
if apt install mosquitto >"$work/apt.log" 2>&1; then
  in_root cp /usr/share/wellward/mosquitto/wellward.conf /etc/mosquitto/conf.d/
  in_root cp /usr/share/wellward/mosquitto/wellward.acl /etc/mosquitto/
  in_root mosquitto_passwd -c -b /etc/mosquitto/wellward.passwd wellward broker-password >/dev/null 2>&1
  in_root chown root:mosquitto /etc/mosquitto/wellward.acl /etc/mosquitto/wellward.passwd
  in_root chmod 640 /etc/mosquitto/wellward.acl /etc/mosquitto/wellward.passwd
  in_root install -d -o mosquitto /run/mosquitto
  "${alone[@]}" chroot "$root" "${clean[@]}" mosquitto -c /etc/mosquitto/mosquitto.conf >"$work/mosquitto.log" 2>&1 &
  broker=$!
  held+=("$broker")
  in_root sh -c 'umask 027; echo broker-password >/etc/wellward/mqtt-password; chown root:wellward /etc/wellward/mqtt-password'
  printf 'mqtt: { host: 127.0.0.1, port: 1883, username: wellward, password_file: mqtt-password }\nelevators:\n  - { id: lift-1 }\n' >>"$root/etc/wellward/wellward.yaml"
  expect "the gateway starts" start
  connected() { says /metrics '^wellward_broker_connected 1$'; }
  expect "and the broker lets it in" eventually 20 connected
  expect "it stops" stop
  kill "$broker" 2>/dev/null
  wait "$broker" 2>/dev/null
else
  untested "the broker's settings: mosquitto could not be installed"
fi

heading "remove, install again, purge"
expect "apt remove" apt remove wellward
[ -e "$root/usr/bin/wellward" ] && bad "the program is still there" || good "the program is gone"
[ -e "$root/lib/systemd/system/wellward.service" ] && bad "the unit is still there" || good "the unit is gone"
[ -s "$root/var/lib/wellward/wellward.sqlite" ] && good "the data is kept" || bad "the data is gone"
[ -s "$root/etc/wellward/wellward.yaml" ] && good "the configuration is kept" || bad "the configuration is gone"
in_root getent passwd wellward >/dev/null && good "the user is kept" || bad "the user is gone"
checksum=$(sha256sum <"$root/etc/wellward/wellward.yaml")
expect "apt install again" apt install --no-install-recommends /var/cache/new.deb
same "the configuration is still the administrator's" "$(sha256sum <"$root/etc/wellward/wellward.yaml")" "$checksum"
expect "apt purge" apt purge wellward
for path in /etc/wellward /var/lib/wellward /usr/share/wellward; do [ -e "$root$path" ] && bad "$path is still there" || good "$path is gone"; done
expect "apt purge of what it brought along" apt autoremove --purge
apt purge mosquitto >/dev/null 2>&1
apt autoremove --purge >/dev/null 2>&1
listing >"$work/after"
# What Debian's own packages leave: the broker's folders with our three files in them, and account files' backups.
left=$(comm -13 "$work/before" "$work/after" | grep -v -E '^\./etc/(mosquitto(/.*)?|passwd-|group-|shadow-|gshadow-|subuid-|subgid-) |^\./var/lib/mosquitto|^\./var/lib/systemd(/deb-systemd-helper-(enabled|masked))? d$|^\./etc/systemd/system/multi-user.target.wants d$' || true)
if [ -z "$left" ]; then good "no file is left"; else bad "left behind:"; sed 's/^/            /' <<<"$left"; fi
gone=$(comm -23 "$work/before" "$work/after" || true)
if [ -z "$gone" ]; then good "no file of others is gone"; else bad "gone:"; sed 's/^/            /' <<<"$gone"; fi
accounts >"$work/accounts-after"
same "no account is left" "$(comm -13 "$work/accounts-before" "$work/accounts-after" | grep -v mosquitto | tr '\n' ' ')" ""

# MARK: 2

heading "with systemd as process 1"
cat >"$work/boot.sh" <<'BOOT'
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
while read -r name major minor; do mknod -m 666 "$root/dev/$name" c "$major" "$minor"; done <<NODES
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
NODES
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
ip link set lo up
mkdir -p "$root/mnt/old"
cd "$root"
pivot_root . mnt/old
umount -l /mnt/old
exec env -i container=deb-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init --log-target=journal --show-status=no
BOOT
inside() { nsenter -t "$init" -m -p -u -i -n -C -r -w "${clean[@]}" "$@" 2>>"$work/inside.log"; }
init=
boot() {
  apt install --no-install-recommends systemd systemd-sysv dbus kmod >"$work/apt.log" 2>&1 || { tail -3 "$work/apt.log"; return 1; }
  # What only helps to find time servers and addresses would wait for a network that is not there.
  rm -f "$root/usr/sbin/policy-rc.d"
  for place in dev/pts dev sys proc; do umount -l "$root/$place"; done
  unshare --mount --pid --fork --uts --ipc --net --cgroup --kill-child bash "$work/boot.sh" "$root" >"$work/boot.log" 2>&1 &
  local outer=$!
  held+=("$outer")
  eventually 10 pgrep -P "$outer" || return 1
  init=$(pgrep -P "$outer" | head -1)
  eventually 40 sh -c "nsenter -t $init -m -p -C -r -w systemctl is-system-running 2>/dev/null | grep -q 'running\|degraded'"
}
state() { inside systemctl show -P "$1" wellward.service; }
is_active() { [ "$(state ActiveState)" = active ]; }
answers_inside() { [ "$(nsenter -t "$init" -n curl -s -m 5 -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/healthz)" = 200 ]; }
if boot; then
  good "$(inside systemctl --version | head -1)"
  expect "apt install" inside apt-get -q -y install --no-install-recommends /var/cache/old.deb
  expect "the installation has started it" eventually 20 is_active
  expect "it answers" eventually 20 answers_inside
  same "enabled" "$(inside systemctl is-enabled wellward.service)" enabled
  pid=$(state MainPID)
  status() { inside sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status"; }
  same "no capability" "$(status CapEff)$(status CapBnd)" "00000000000000000000000000000000"
  same "no new privileges" "$(status NoNewPrivs)" 1
  same "system calls are filtered" "$(status Seccomp)" 2
  same "its user" "$(inside ps -o user= -p "$pid" 2>/dev/null || inside stat -c %U "/proc/$pid")" wellward
  grep -qw "$(inside getent group dialout | cut -d: -f3)" <<<"$(status Groups)" && good "it has the serial group" || bad "it does not have the serial group"
  same "no core dumps" "$(inside sed -n 's/^Max core file size *\([0-9]*\) .*/\1/p' "/proc/$pid/limits")" 0
  said=$(inside journalctl -u wellward.service -o cat --no-pager)
  forbidden='operation not permitted\|permission denied\|errno=1\b'
  grep -qi "$forbidden" <<<"$said" && bad "something was forbidden to it: $(grep -i "$forbidden" <<<"$said" | head -2)" || good "nothing was forbidden to it"

  # A pseudo-terminal with the serial group's rights stands for a serial line.
  cat >"$root/etc/wellward/wellward.yaml" <<'YAML'
site: { id: test-site, timezone: Asia/Shanghai }
language: en
storage: { path: /var/lib/wellward/wellward.sqlite, commit_every: 200ms }
buses:
  - { id: lane, transport: rtu, device: /dev/lane, response_timeout: 500ms }
meters:
  - { id: wm-1, bus: lane, unit: 1, profile: tuf-2000m, poll: 1s }
YAML
  inside systemd-run -q --unit=meters wellward simulate --config /etc/wellward/wellward.yaml
  eventually 20 inside test -e /dev/lane
  inside chgrp -L dialout /dev/lane
  inside chmod 660 /dev/lane
  inside systemctl restart wellward.service
  reads() { nsenter -t "$init" -n curl -s -m 5 http://127.0.0.1:8080/metrics | awk '/^wellward_readings_committed_total/ && $2 > 3 {found=1} END {exit !found}'; }
  expect "a line of the serial group is read, through the unit's user namespace" eventually 20 reads
  inside chmod 600 /dev/lane
  inside systemctl restart wellward.service
  refused() { nsenter -t "$init" -n curl -s -m 5 http://127.0.0.1:8080/metrics | awk '/^wellward_poll_failures_total/ && $2 > 1 {found=1} END {exit !found}'; }
  expect "and one without the group's rights is not" eventually 30 refused
  inside chmod 660 /dev/lane
  # ttyS is compiled into most kernels: a port that is not there answers "I/O error" where it may be opened, "not permitted" where not.
  if grep -qw ttyS /proc/devices; then
    inside mknod -m 660 /dev/ttyS30 c 4 94
    inside chgrp dialout /dev/ttyS30
    try() { inside systemd-run -q --pipe --wait -p User=wellward -p SupplementaryGroups=dialout -p PrivateUsers=yes -p DevicePolicy=closed "$@" \
      sh -c 'dd if=/dev/ttyS30 bs=1 count=0 iflag=nonblock 2>&1'; }
    said=$(try -p 'DeviceAllow=char-ttyS rw')
    [[ -n $said && $said != *"not permitted"* ]] && good "the unit's device rule lets serial ports through" || bad "the unit's device rule keeps serial ports out"
    [[ $(try) == *"not permitted"* ]] && good "and without the rule they are kept out" || untested "whether a device outside the unit's rules is kept out: the rule did not bite in these namespaces"
  else
    untested "the unit's device rules: this kernel has no ttyS"
  fi

  # Sixty seconds in the unit; five here, so that nobody waits.
  inside mkdir -p /run/systemd/system/wellward.service.d
  printf '[Service]\nWatchdogSec=5\nTimeoutStopSec=5\nRestartSec=1\n' >"$work/drop"
  inside sh -c 'cat >/run/systemd/system/wellward.service.d/test.conf' <"$work/drop"
  inside systemctl daemon-reload
  inside systemctl restart wellward.service
  eventually 20 answers_inside
  pid=$(state MainPID) restarts=$(state NRestarts)
  inside sh -c "kill -STOP $pid"
  restarted() { [ "$(state NRestarts)" -gt "$restarts" ] && [ "$(state MainPID)" != "$pid" ] && is_active; }
  expect "a process that hangs (SIGSTOP) is killed and started again by the watchdog" eventually 40 restarted
  said=$(inside journalctl -u wellward.service -o cat --no-pager)
  grep -qi 'watchdog timeout' <<<"$said" && good "and the log says why" || bad "the log does not speak of the watchdog"
  expect "it answers again" eventually 20 answers_inside

  cp "$root/etc/wellward/wellward.yaml" "$work/good.yaml"
  echo 'nonsense: [' >>"$root/etc/wellward/wellward.yaml"
  restarts=$(state NRestarts)
  inside systemctl restart --no-block wellward.service
  tried() { [ "$(state NRestarts)" -ge $((restarts + 7)) ] || [ "$(state NRestarts)" -ge 7 ]; }
  expect "a faulty configuration is tried again, more often than systemd's usual limit" eventually 60 tried
  cat "$work/good.yaml" >"$root/etc/wellward/wellward.yaml"
  expect "mended, it starts by itself" eventually 30 is_active
  inside rm -r /run/systemd/system/wellward.service.d
  inside systemctl daemon-reload

  pid=$(state MainPID)
  expect "apt install of a newer package" inside apt-get -q -y install /var/cache/new.deb
  upgraded() { is_active && [ "$(state MainPID)" != "$pid" ] && [ "$(inside readlink "/proc/$(state MainPID)/exe")" = /usr/bin/wellward ]; }
  expect "the new program runs in place of the old one" eventually 30 upgraded
  expect "apt purge of a running service" inside apt-get -q -y purge wellward
  same "it is stopped" "$(inside systemctl is-active wellward.service)" inactive
  for path in /etc/wellward /var/lib/wellward /etc/systemd/system/multi-user.target.wants/wellward.service; do inside test -e "$path" && bad "$path is still there" || good "$path is gone"; done
  inside getent passwd wellward >/dev/null && bad "the user is still there" || good "the user is gone"
  controllers=$(inside cat /sys/fs/cgroup/cgroup.controllers)
  [[ $controllers == *memory* && $controllers == *pids* ]] || untested "MemoryMax, MemorySwapMax and TasksMax: this machine gives no memory or pids controller to a namespace"
else
  bad_boot=$(tail -2 "$work/boot.log" 2>/dev/null | tr '\n' ' ')
  echo "  skipped: systemd does not start in namespaces here ($bad_boot)"
  untested "everything under systemd: start at installation, restart at upgrade, stop at removal, the unit's sandbox, its watchdog"
fi

untested "a real serial port and a USB adapter that is plugged in later; a pseudo-terminal stood for the line"
untested "a start at boot of a whole machine, with its network, clock and disk"
untested "a power cut during an upgrade"
[ "$arch" = amd64 ] && untested "the package for arm64"

heading "Not tested here:"
for what in "${untested[@]}"; do echo "  - $what"; done
echo
if [ $failures = 0 ]; then echo "All went well."; else echo "$failures checks failed."; fi
[ $failures = 0 ]
