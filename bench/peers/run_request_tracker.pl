# Request Tracker's mail gateway, on SQLite: perl run_request_tracker.pl FOLDER LETTERS ANSWERS
#
# Makes a database of its own in FOLDER with two hundred known people and hands each file of LETTERS
# to what its gateway hands a letter to; with ANSWERS 0 its scrips, which write the answers, are off.
# Prints the letters a second.
use strict;
use warnings;
use Time::HiRes qw(time);

my $RT = '/usr/share/request-tracker5';
my ($folder, $letters, $answers) = @ARGV;
open(my $config, '>', "$folder/RT_SiteConfig.pm") or die $!;
print $config <<"END";
Set(\$rtname, 'hub.example');
Set(\$DatabaseType, 'SQLite');
Set(\$DatabaseName, '$folder/rt.db');
Set(\$MailCommand, 'testfile');
Set(\$WebSecureCookies, 0);
Set(\$LogToSyslog, 'critical');
Set(\$LogToSTDERR, 'critical');
Set(\$MasonDataDir, '$folder/mason');
Set(\%FullTextSearch, Enable => 0);
1;
END
close $config;
$ENV{RT_SITE_CONFIG} = "$folder/RT_SiteConfig.pm";
# Debian's own settings name a database of the whole machine.
mkdir "$folder/settings" or die $!;
$ENV{RT_SITE_CONFIG_DIR} = "$folder/settings";
for my $step ('create,schema,acl,coredata', "insert --datafile $RT/etc/initialdata") {
    system("/usr/sbin/rt-setup-database-5 --action $step --dba root >$folder/made.log 2>&1") == 0
        or system("cat $folder/made.log >&2"), die "no database";
}

unshift @INC, "$RT/lib";
require RT;
RT->import();
RT::LoadConfig();
RT::Init();
require RT::Interface::Email;
require RT::User;
require RT::Group;
require RT::Scrips;

my $everyone = RT::Group->new(RT->SystemUser);
$everyone->LoadSystemInternalGroup('Everyone');
$everyone->PrincipalObj->GrantRight(Right => $_, Object => RT->System)
    for qw(CreateTicket ReplyToTicket);
for my $n (0 .. 199) {
    my $user = RT::User->new(RT->SystemUser);
    my ($made, $why) = $user->Create(Name => "p$n", EmailAddress => "p$n\@away.example", Privileged => 0);
    die $why unless $made;
}
unless ($answers) {
    my $scrips = RT::Scrips->new(RT->SystemUser);
    $scrips->UnLimit;
    while (my $one = $scrips->Next) { $one->SetDisabled(1) }
}
opendir(my $where, $letters) or die $!;
my @files = sort grep { -f "$letters/$_" } readdir $where;
my @raw = map { open(my $in, '<:raw', "$letters/$_") or die $!; local $/; scalar <$in> } @files;
my $began = time;
for my $letter (@raw) {
    my ($status, $why) = RT::Interface::Email::Gateway(
        { queue => 'General', action => 'correspond', message => $letter });
    die $why unless $status == 1;
}
printf "%f\n", @raw / (time - $began);
