#!/usr/bin/env bash
# Builds a Debian package from a program that is already built.
#
#   swift build -c release --static-swift-stdlib --product wellward
#   Deploy/deb.sh [PROGRAM] [FOLDER]       # default: .build/release/wellward, .build/deb
#
# The version is the program's own (Sources/wellward/Main.swift). In the environment:
#   VERSION=0.2.0    another version, for a rehearsed upgrade
#   REVISION=2       the package's own revision; default 1
#   DEBFULLNAME, DEBEMAIL    who packages
#   SOURCE_DATE_EPOCH        the package's date; default: the last commit's
#
# Needs dpkg-dev and binutils, and of the libraries the program is linked with their Debian packages. No root, no fakeroot.
# A program of another architecture: its libraries must be installed as foreign packages, and the completion scripts are left out, because
# the program cannot be asked for them here.
set -euo pipefail
cd "$(dirname "$0")/.."
die() { echo "deb.sh: $*" >&2; exit 1; }
say() { echo "deb.sh: $*" >&2; }

program=${1:-.build/release/wellward}
folder=${2:-.build/deb}
[ -x "$program" ] || die "$program is not there; build it first: swift build -c release --static-swift-stdlib --product wellward"
for tool in dpkg-deb dpkg-shlibdeps readelf strip objcopy gzip; do
  command -v $tool >/dev/null || die "$tool is missing: apt install dpkg-dev binutils"
done

# MARK: What it is

case $(readelf -h "$program" | sed -n 's/^ *Machine: *//p') in
  *X86-64*) arch=amd64 ;;
  AArch64) arch=arm64 ;;
  *) die "$program is for a machine nobody has packaged for yet" ;;
esac
needed=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
if grep -q '^libswift\|^libFoundation\|^lib_Foundation' <<<"$needed"; then
  die "$program needs the Swift run time of this machine; build it with --static-swift-stdlib"
fi
native=$(dpkg --print-architecture)
stripper=strip copier=objcopy
if [ "$arch" != "$native" ]; then
  triple=$(dpkg-architecture -a"$arch" -qDEB_HOST_GNU_TYPE 2>/dev/null)
  stripper=$triple-strip copier=$triple-objcopy
  command -v "$stripper" >/dev/null || die "$stripper is missing: apt install binutils-${triple//_/-}"
fi
own=$(sed -n 's/.*static let version = "\(.*\)".*/\1/p' Sources/wellward/Main.swift | head -1)
if [ "$arch" = "$native" ]; then
  said=$("$program" --version) || die "$program does not start here"
  said=$(sed -n '1s/^[^0-9]*\([0-9][^ ]*\).*/\1/p' <<<"$said")
  # A build may be named behind the version, as in 0.1.0+g1234567.
  [ "${said%%+*}" = "$own" ] || die "$program says it is $said, the sources say $own: build again"
fi
upstream=${VERSION:-$own}
[ -n "$upstream" ] || die "Sources/wellward/Main.swift names no version"
# 0.2.0-beta.1 comes before 0.2.0.
version=${upstream//-/\~}-${REVISION:-1}
dpkg --validate-version "$version" || die "$version is no version of a package"
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH=$epoch
# An address that nobody reads, unless a packager gives one: reports go where SECURITY.md says.
maintainer="${DEBFULLNAME:-Wellward} <${DEBEMAIL:-noreply@github.com}>"

# MARK: The files

mkdir -p "$folder"
root=$(mktemp -d "${TMPDIR:-/tmp}/wellward-deb.XXXXXX")
trap 'rm -rf "$root"' EXIT
umask 022
tree=$root/tree
put() { install -D -m "$1" "$2" "$tree/$3"; }
debian=Deploy/debian
share=usr/share/wellward
doc=usr/share/doc/wellward

install -D -m 755 "$program" "$tree/usr/bin/wellward"
name=wellward_${version}_$arch
# The names of functions stay beside the package: a crash of a shipped program can still be read with them.
"$copier" --only-keep-debug --compress-debug-sections=zlib "$tree/usr/bin/wellward" "$folder/$name.debug"
"$stripper" --strip-unneeded --remove-section=.comment --remove-section=.note "$tree/usr/bin/wellward"
chmod 644 "$folder/$name.debug"
(cd "$folder" && "$copier" --add-gnu-debuglink="$name.debug" "$tree/usr/bin/wellward")

(cd DeviceProfiles && find . -name '*.yaml' | sort) | while read -r path; do put 644 "DeviceProfiles/$path" "$share/DeviceProfiles/${path#./}"; done
put 644 Deploy/wellward.service lib/systemd/system/wellward.service
put 644 $debian/wellward.tmpfiles usr/lib/tmpfiles.d/wellward.conf
put 644 $debian/wellward.sysusers usr/lib/sysusers.d/wellward.conf
put 644 $debian/wellward.yaml $share/wellward.yaml
put 644 Deploy/wellward.example.yaml $share/wellward.example.yaml
put 644 Deploy/mosquitto.acl $share/mosquitto/wellward.acl
put 644 $debian/mosquitto.conf $share/mosquitto/wellward.conf
put 644 Deploy/prometheus/wellward.rules.yml $share/prometheus/wellward.rules.yml
put 644 Deploy/grafana/wellward-dashboard.json $share/grafana/wellward-dashboard.json
put 644 $debian/README.Debian $doc/README.Debian
put 644 $debian/copyright $doc/copyright
for page in README.md README.zh-CN.md SECURITY.md; do [ ! -f $page ] || put 644 $page $doc/$page; done
install -d "$tree/usr/share/lintian/overrides" "$tree/usr/share/man/man1"

if [ "$arch" = "$native" ]; then
  install -d "$tree/usr/share/bash-completion/completions" "$tree/usr/share/zsh/vendor-completions" "$tree/usr/share/fish/vendor_completions.d"
  # It is read into a shell, not run.
  "$program" --generate-completion-script bash | sed '1{/^#!/d}' >"$tree/usr/share/bash-completion/completions/wellward"
  "$program" --generate-completion-script zsh >"$tree/usr/share/zsh/vendor-completions/_wellward"
  "$program" --generate-completion-script fish >"$tree/usr/share/fish/vendor_completions.d/wellward.fish"
else
  say "without completion scripts: this machine cannot run a program for $arch"
fi

# Licences and notices of what is linked in, from the sources it was built from; the same text stands once.
licences() {
  local base=.build/checkouts seen="" path sum swift name
  echo "Licences and notices of what is linked into wellward."
  swift=$(readlink -f "$(command -v swift 2>/dev/null || echo /nowhere)")
  for path in "${swift%/bin/*}/share/swift/LICENSE.txt" \
    $(find $base -maxdepth 4 -type f \( -iname 'LICENSE*' -o -iname 'NOTICE*' -o -iname 'COPYING*' \) ! -path '*/Tests/*' ! -path '*/.git/*' 2>/dev/null | sort); do
    [ -f "$path" ] || continue
    sum=$(sha256sum <"$path")
    case $path in $base/*) name=${path#"$base"/} ;; *) name="Swift run time and Foundation/LICENSE.txt" ;; esac
    if [[ $seen == *"$sum"* ]]; then
      printf '\n==== %s\n\nThe same text as one above.\n' "$name"
    else
      printf '\n==== %s\n\n' "$name"
      cat "$path"
      seen+=$sum
    fi
  done
  printf '\n==== libyaml (inside Yams)\n\nCopyright 2006-2016 Kirill Simonov, 2017-2020 Ingy doet Net. The MIT licence, as above under Yams.\n'
  printf '\n==== zlib (inside swift-nio-extras)\n\nCopyright Jean-loup Gailly and Mark Adler. The zlib licence; its text stands in zlib.h: https://zlib.net/zlib_license.html\n'
}
licences | gzip -9n >"$tree/$doc/third-party.txt.gz"
[ -d .build/checkouts ] || say "third-party.txt is short: .build/checkouts is not there"

sed -e "s/@DATE@/$(date -u -d "@$epoch" +%Y-%m-%d)/" -e "s/@UPSTREAM@/$upstream/" $debian/wellward.1 | gzip -9n >"$tree/usr/share/man/man1/wellward.1.gz"
gzip -9nc CHANGELOG.md >"$tree/$doc/changelog.gz"
gzip -9n >"$tree/$doc/changelog.Debian.gz" <<TEXT
wellward ($version) unstable; urgency=medium

  * Version $upstream; what changed is in changelog.gz.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$epoch")
TEXT
put 644 $debian/lintian-overrides usr/share/lintian/overrides/wellward

# MARK: Control

# dpkg-shlibdeps wants a source package around it.
mkdir -p "$root/source/debian"
printf 'Source: wellward\nMaintainer: %s\n\nPackage: wellward\nArchitecture: any\nDescription: x\n' "$maintainer" >"$root/source/debian/control"
shlibs=$(cd "$root/source" && dpkg-shlibdeps -O "$tree/usr/bin/wellward" 2>"$root/shlibs.log" | sed -n 's/^shlibs:Depends=//p') \
  || { cat "$root/shlibs.log" >&2; die "the program's libraries are not all from Debian packages"; }
[ -n "$shlibs" ] || die "no libraries were found"
install -d "$tree/DEBIAN"
size=$(du -k --apparent-size -s --exclude=DEBIAN "$tree" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@MAINTAINER@/$maintainer/" -e "s/@SIZE@/$size/" -e "s/@SHLIBS@/$shlibs/" \
  $debian/control >"$tree/DEBIAN/control"
for script in postinst prerm postrm; do install -m 755 $debian/$script "$tree/DEBIAN/$script"; done
(cd "$tree" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
chmod 644 "$tree/DEBIAN/md5sums" "$tree/DEBIAN/control"
find "$tree" -type d -exec chmod 755 {} +

dpkg-deb --root-owner-group -Zxz --build "$tree" "$folder/$name.deb" >&2
say "installed size $((size / 1024)) MB, needs: $shlibs"
echo "$folder/$name.deb"
