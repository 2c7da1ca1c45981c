# A link between two TUN interfaces: perl tun-link.pl NAME NAME DELAY_MS LOSS. Each packet arrives DELAY_MS after it was sent, or never
# with probability LOSS; a number on standard input is the LOSS from then on. Ends at the end of its input. Node.js has no ioctl.
use strict;
use warnings;
use Errno qw(EAGAIN EINTR);
use Fcntl qw(O_RDWR O_NONBLOCK);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($TUNSETIFF, $IFF_TUN, $IFF_NO_PI) = (0x400454ca, 0x0001, 0x1000);
my $QUEUE_PACKETS = 100_000;
my ($one, $other, $delay_ms, $loss) = @ARGV;
my $delay = $delay_ms / 1000;

sub tun {
    my ($name) = @_;
    sysopen(my $file, '/dev/net/tun', O_RDWR | O_NONBLOCK) or die "/dev/net/tun: $!\n";
    ioctl($file, $TUNSETIFF, pack('a16 s x22', $name, $IFF_TUN | $IFF_NO_PI)) or die "TUNSETIFF: $!\n";
    return $file;
}

my @ends = (tun($one), tun($other));
my @queues = ([], []);
$| = 1;
print "ready\n";

while (1) {
    my $now = clock_gettime(CLOCK_MONOTONIC);
    my $wait = 1;
    for my $side (0, 1) {
        my $queue = $queues[$side];
        while (@$queue && $queue->[0][0] <= $now) {
            my $packet = shift @$queue;
            syswrite($ends[1 - $side], $packet->[1]);
        }
        my $left = @$queue ? $queue->[0][0] - clock_gettime(CLOCK_MONOTONIC) : 1;
        $wait = $left if $left < $wait;
    }
    my $ready = '';
    vec($ready, fileno($_), 1) = 1 for @ends, *STDIN;
    my $found = select($ready, undef, undef, $wait < 0 ? 0 : $wait);
    next if $found <= 0;
    for my $side (0, 1) {
        next unless vec($ready, fileno($ends[$side]), 1);
        for (1 .. 64) {
            last unless sysread($ends[$side], my $packet, 65536);
            next if $loss > 0 && rand() < $loss;
            my $due = clock_gettime(CLOCK_MONOTONIC) + $delay;
            push @{ $queues[$side] }, [$due, $packet] if @{ $queues[$side] } < $QUEUE_PACKETS;
        }
    }
    if (vec($ready, fileno(STDIN), 1)) {
        last unless sysread(STDIN, my $text, 64);
        $loss = $1 if $text =~ /([\d.]+)\s*$/;
    }
}
