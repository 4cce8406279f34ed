# Process 1 of an Asterisk's own mount and PID namespaces: when it ends, everything in them ends.
# Arguments: ROOT (a root folder with Asterisk, or /), HOME (of the instance; seen as /mnt inside), USER.
# It stays root and stays parent: a change of user would clear the death signal that ties us to whoever started us.
set -eu
exec 3<&0
root=${1%/} home=$2 user=$3
mount --make-rprivate /
mount --bind "$home" "$root/mnt"
if [ -n "$root" ]; then mount --rbind /dev "$root/dev"; fi
mount -t proc proc "$root/proc"
chroot "$root/" /usr/sbin/asterisk -f -U "$user" -C /mnt/etc/asterisk.conf </dev/null 3<&- &
asterisk=$!
# Our standard input is held open by the starter: its end, by whatever cause, is the order to stop.
{ while read -r _; do :; done; kill -TERM "$asterisk"; } <&3 &
wait "$asterisk"
