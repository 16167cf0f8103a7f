#!/usr/bin/env perl
# Opens for a machine what its user may not, and becomes the command.
#
#     launch.pl [FD=tap:NAME | FD=file:PATH]... -- COMMAND ARG...
#
# The descriptors have these numbers in the command. A tap device that has several queues is named once for each; it
# exists already, so its own flags say how it is opened. Files are open for reading. Node.js has no ioctl.
use strict;
use warnings;
use Fcntl qw(O_RDONLY O_RDWR);
use POSIX ();

use constant TUNSETIFF => 0x400454ca;
# Of the flags of a tap device those that the opener has to name: tap, no packet information, header, several queues.
use constant TUN_FLAGS => 0x0002 | 0x1000 | 0x4000 | 0x0100;

sub opened_tap {
  my ($name) = @_;
  open(my $known, '<', "/sys/class/net/$name/tun_flags") or die "$name is no tap device: $!\n";
  chomp(my $flags = <$known>);
  sysopen(my $tap, '/dev/net/tun', O_RDWR) or die "/dev/net/tun: $!\n";
  ioctl($tap, TUNSETIFF, pack('a16 S x22', $name, hex($flags) & TUN_FLAGS)) or die "tap device $name: $!\n";
  return $tap;
}

sub opened_file {
  my ($path) = @_;
  sysopen(my $file, $path, O_RDONLY) or die "$path: $!\n";
  return $file;
}

while (@ARGV and (my $word = shift @ARGV) ne '--') {
  my ($descriptor, $kind, $what) = $word =~ /^(\d+)=(tap|file):(.+)$/s or die "not understood: $word\n";
  my $opened = $kind eq 'tap' ? opened_tap($what) : opened_file($what);
  # The number that it had is closed with the command, this one is not.
  POSIX::dup2(fileno($opened), $descriptor) or die "descriptor $descriptor: $!\n";
}
exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\n";
