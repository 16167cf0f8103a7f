#!/usr/bin/env bash
# Prepares this host for the network of guests, or undoes that. Doing it again changes nothing.
#
#   scripts/setup-tap-networking.sh [--user USER] [--ipv6] [--taps COUNT] [--subnet 10.0.0.0/24] [--multi-queue]
#   scripts/setup-tap-networking.sh --undo
#
#   --user         who runs the node without being root; joins the groups kvm and blixard. Default: who has called sudo
#   --ipv6         forward IPv6 too: then the host takes no router advertisements any more, unless accept_ra is 2
#   --taps         makes vm1 to vmCOUNT for such a node, which may make no devices itself: 64, or at most 254; 0: none
#   --subnet       vmN gets the address that ends with N; the pool of the guests has to be this subnet. A /24
#   --multi-queue  devices with several queues, as microvm.nix wants them for guests with several processors
#   --undo         removes what this script has made; users stay in their groups
#
# Devices are gone after a reboot: run it again, for example from a unit of systemd.
set -euo pipefail

readonly STATE=/var/lib/blixard-setup
readonly SYSCTL_FILE=/etc/sysctl.d/60-blixard.conf
readonly UDEV_FILE=/etc/udev/rules.d/60-blixard-tun.rules
readonly TABLE=blixard-prepared

user=${SUDO_USER:-}
ipv6=no
taps=
subnet=10.0.0.0/24
queues=()
undo=no

wrong() {
  echo "setup-tap-networking.sh: $1" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
    --user | --taps | --subnet)
      [ $# -gt 1 ] || wrong "$1 needs a value"
      case $1 in --user) user=$2 ;; --taps) taps=$2 ;; --subnet) subnet=$2 ;; esac
      shift 2
      ;;
    --ipv6) ipv6=yes && shift ;;
    --multi-queue) queues=(multi_queue) && shift ;;
    --undo) undo=yes && shift ;;
    --help) sed -n '2,/^set /{s/^# \{0,1\}//;/^set /!p}' "$0" && exit 0 ;;
    *) wrong "unknown option $1: --help shows what there is" ;;
  esac
done
[ "$(id -u)" -eq 0 ] || wrong "this needs root: call it with sudo"

# Who needs devices that are made in advance: a node that is not root.
[ -n "$taps" ] || { [ -n "$user" ] && [ "$user" != root ] && taps=64 || taps=0; }
[[ $taps =~ ^[0-9]{1,3}$ && $taps -le 254 ]] || wrong "--taps is a number up to 254"
[[ $subnet =~ ^([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})\.0/24$ ]] || wrong "--subnet is a /24, such as 10.0.0.0/24"
readonly network=${BASH_REMATCH[1]}

# Remembers what a setting was before this script first changed it.
set_sysctl() {
  local name=$1 value=$2 before
  before=$(sysctl -n "$name")
  [ -e "$STATE/$name" ] || echo "$before" >"$STATE/$name"
  [ "$before" = "$value" ] || sysctl -qw "$name=$value"
  echo "$name = $value" >>"$SYSCTL_FILE.new"
}

remove_taps() {
  local device
  for device in /sys/class/net/vm*; do
    [[ $(cat "$device/ifalias" 2>/dev/null) == "blixard prepared" ]] || continue
    ip link delete dev "${device##*/}"
  done
  if command -v nft >/dev/null; then nft "add table inet $TABLE; delete table inet $TABLE"; fi
}

make_taps() {
  local n device addresses=() names=()
  for ((n = 1; n <= taps; n++)); do
    [ ! -e "/sys/class/net/vm$n" ] || { echo "vm$n exists, and is somebody else's: no device is made" >&2 && exit 1; }
  done
  for ((n = 1; n <= taps; n++)); do
    device=vm$n
    ip tuntap add dev "$device" mode tap group blixard vnet_hdr "${queues[@]}"
    ip link set dev "$device" alias "blixard prepared" up
    ip address add 169.254.1.1 dev "$device"
    ip route replace "$network.$n" dev "$device"
    echo 1 >"/proc/sys/net/ipv4/conf/$device/ignore_routes_with_linkdown"
    addresses+=("\"$device\" . $network.$n")
    names+=("\"$device\"")
  done
  # What a guest may send; a node that is root has rules of its own for each of its guests.
  nft -f - <<RULES
table inet $TABLE {
  set taps { type ifname; elements = { $(IFS=, && echo "${names[*]}") }; }
  set sources { type ifname . ipv4_addr; elements = { $(IFS=, && echo "${addresses[*]}") }; }
  chain from-guests {
    type filter hook prerouting priority raw - 10; policy accept;
    iifname != @taps accept
    iifname . ip saddr @sources accept
    drop
  }
  chain to-host {
    type filter hook input priority filter - 10; policy accept;
    iifname != @taps accept
    icmp type redirect drop
    ct state established,related accept
    icmp type echo-request accept
    drop
  }
}
RULES
}

if [ "$undo" = yes ]; then
  remove_taps
  rm -f "$SYSCTL_FILE" "$UDEV_FILE"
  if [ -e "$STATE/tun" ]; then
    read -r mode group <"$STATE/tun"
    chgrp "$group" /dev/net/tun && chmod "$mode" /dev/net/tun
    rm "$STATE/tun"
  fi
  for file in "$STATE"/*; do
    [ -e "$file" ] || continue
    sysctl -qw "${file##*/}=$(cat "$file")"
    rm "$file"
  done
  rm -rf "$STATE"
  if command -v udevadm >/dev/null; then udevadm control --reload 2>/dev/null || true; fi
  echo "undone; users stay in the groups kvm and blixard"
  exit 0
fi

command -v nft >/dev/null || wrong "nft is missing: apt-get install nftables"
mkdir -p "$STATE"

for group in kvm blixard; do
  getent group "$group" >/dev/null || groupadd --system "$group"
  if [ -n "$user" ] && [ "$user" != root ]; then usermod --append --groups "$group" "$user"; fi
done

if [ ! -e /dev/net/tun ]; then
  modprobe tun || true
  if [ ! -e /dev/net/tun ]; then
    mkdir -p /dev/net
    mknod -m 0660 /dev/net/tun c 10 200
  fi
fi
# Most distributions let everybody open it, since making a device needs more than that.
if [ -n "$user" ] && [ "$(stat -c %a /dev/net/tun)" != 666 ]; then
  [ -e "$STATE/tun" ] || stat -c '%a %g' /dev/net/tun >"$STATE/tun"
  chgrp blixard /dev/net/tun
  chmod 0660 /dev/net/tun
  if [ -d "${UDEV_FILE%/*}" ]; then echo 'KERNEL=="tun", GROUP="blixard", MODE="0660"' >"$UDEV_FILE"; fi
fi

: >"$SYSCTL_FILE.new"
set_sysctl net.ipv4.ip_forward 1
if [ "$ipv6" = yes ]; then set_sysctl net.ipv6.conf.all.forwarding 1; fi
mv "$SYSCTL_FILE.new" "$SYSCTL_FILE"

remove_taps
if [ "$taps" -gt 0 ]; then make_taps; fi

echo "ready: IPv4 is forwarded$([ "$ipv6" = no ] || echo ", IPv6 too")$([ "$taps" -eq 0 ] || echo "; vm1 to vm$taps lead to $network.1 to $network.$taps")"
if [ -n "$user" ] && [ "$user" != root ]; then echo "$user has to log in anew to be in the groups kvm and blixard"; fi
