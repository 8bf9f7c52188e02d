# What Perl's MIME::Parser and Mail::Address make of messages: files on standard input, a line of JSON for each.
use strict;
use warnings;
use JSON::PP;
use Mail::Address;
use MIME::Parser;

sub texts {
    my ($entity) = @_;
    return map { texts($_) } $entity->parts if $entity->parts;
    return $entity->effective_type =~ m{^text/} && $entity->bodyhandle ? ($entity->bodyhandle->as_string) : ();
}

my $json = JSON::PP->new->canonical;
while (my $name = <STDIN>) {
    chomp $name;
    my $parser = MIME::Parser->new;
    $parser->output_to_core(1);
    $parser->tmp_to_core(1);
    my $entity = eval { $parser->parse_open($name) };
    my @from = $entity ? map { $_->address } map { Mail::Address->parse($_) } $entity->head->get_all('From') : ();
    my @texts = $entity ? texts($entity) : ("error: $@");
    print $json->encode({ judge => 'perl', message => $name, from => \@from, texts => \@texts }), "\n";
}
