#!/usr/bin/env perl
# What the unit of a VM runs, in the directory of all machines. It asks the supervisor, which knows what was ordered.
#
#     unit.pl start NAME   becomes the machine, if the supervisor has an order for one. If not, somebody has started the
#                          unit by hand: the supervisor tells its node, and nothing is started here.
#     unit.pl stop NAME    has the guest power off, and waits until the machine has ended
#     unit.pl over NAME    says how the process has ended
use strict;
use warnings;
use Fcntl qw(F_DUPFD);
use POSIX ();
use Socket;

my ($action, $name) = @ARGV;

sub supervisor {
  my ($words) = @_;
  socket(my $line, AF_UNIX, SOCK_STREAM, 0) or return undef;
  connect($line, pack_sockaddr_un('launch.sock')) or return undef;
  syswrite($line, "$words\n") or return undef;
  return $line;
}

# Not a byte more: what follows is for QEMU.
sub line_of {
  my ($from) = @_;
  my $text = '';
  while (sysread($from, my $byte, 1)) {
    return $text if $byte eq "\n";
    $text .= $byte;
  }
  die "the supervisor does not answer\n";
}

sub bytes_of {
  my ($from, $count) = @_;
  my $bytes = '';
  while (length($bytes) < $count) {
    sysread($from, $bytes, $count - length($bytes), length($bytes)) or die "the supervisor has ended\n";
  }
  return $bytes;
}

sub start {
  my $events = supervisor("start $name $$") or die "there is no supervisor\n";
  my $count = line_of($events);
  return if $count == 0;
  my ($folder, @command) = split /\0/, bytes_of($events, $count);
  my $console = supervisor("console $name") or die "there is no supervisor\n";
  my $journal = supervisor("journal $name") or die "there is no supervisor\n";
  my $errors = supervisor("errors $name") or die "there is no supervisor\n";
  if (fork() == 0) {
    # It ends after the machine, when the supervisor has said all.
    $SIG{TERM} = 'IGNORE';
    POSIX::dup2(fileno($journal), 0);
    exec 'cat' or POSIX::_exit(1);
  }
  # By way of others: one of these may be open as what another is to be.
  my @apart = map { fcntl($_, F_DUPFD, 10) } $errors, $console, $events;
  POSIX::dup2($apart[$_], 2 + $_) for 0 .. 2;
  POSIX::close($_) for @apart;
  chdir($folder) or die "$folder: $!\n";
  exec { $command[0] } @command or die "$command[0]: $!\n";
}

# Also when the host shuts down, or somebody stops the supervisor: then this unit goes with that.
sub goes_with_supervisor {
  my $job = `systemctl $ENV{BLIXARD_MANAGER} show --property=Job --value $ENV{BLIXARD_SUPERVISOR}`;
  return $? != 0 || $job =~ /[1-9]/;
}

sub stop {
  my $pid = $ENV{MAINPID};
  # It has ended by itself.
  return unless $pid and kill(0, $pid);
  my $who = goes_with_supervisor() ? 'host' : 'unit';
  my $line = supervisor("stop $name $who");
  while (kill(0, $pid)) {
    my $ready = '';
    vec($ready, fileno($line), 1) = 1 if $line;
    # Nobody knows the fence any more.
    kill('KILL', $pid) if not $line or select($ready, undef, undef, 0.05) and not sysread($line, my $byte, 1);
  }
}

if ($action eq 'start') { start() }
elsif ($action eq 'stop') { stop() }
elsif ($action eq 'over') { supervisor("over $name " . join(' ', map { $_ // '' } @ENV{qw(SERVICE_RESULT EXIT_CODE EXIT_STATUS)})) }
