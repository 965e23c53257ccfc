#!/usr/bin/perl
# A session in Perl, and a host that serves it to the suite. Both need only core modules:
#
#     pytest "--session-impl=exec:perl examples/perl_host.pl"
#
# To check a class of your own, keep the package Host and replace MemorySession in the last line by
# your class. spec/HOSTS.md describes the protocol. This checks the host against the protocol:
#
#     teleproto-conformance host perl examples/perl_host.pl

use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';

# -- The session --

# An auth key, with or without bytes. A client fills the same object again and again.
package AuthKey {
    sub new ($class, $bytes = undef) { return bless { key => $bytes }, $class }

    sub key ($self) { return $self->{key} }

    sub fill ($self, $bytes) { $self->{key} = $bytes; return $self }
}

# A session without storage. A TL object is a hash with its constructor's name under `_`. Its 64-bit
# integers are text.
package MemorySession {
    my $LINK = qr{(?:https?://)?(?:www\.)?(?:t\.me|telegram\.(?:me|dog))/([^/?]+)/?}i;
    my $CHANNEL_MARK = 10**12;

    sub session_profile { return 'memory' }

    sub new ($class) {
        my $self = bless {}, $class;
        $self->delete;
        return $self;
    }

    sub dc_id ($self) { return $self->{dc_id} }

    sub server_address ($self) { return $self->{server_address} }

    sub port ($self) { return $self->{port} }

    sub set_dc ($self, $dc_id, $server_address, $port) {
        $dc_id = _whole($dc_id, 255, 'a data centre id');
        $port = _whole($port, 65535, 'a port');
        die 'a server address is a text' if ref $server_address or !length $server_address;
        @$self{qw(dc_id server_address port)} = ($dc_id, $server_address, $port);

        # A key that was set before any data centre waits in slot 0.
        my $keys = $self->{auth_keys};
        $keys->{$dc_id} = delete $keys->{0} if $keys->{0};
        return;
    }

    sub auth_key ($self, @new) {
        $self->set_auth_key(@new) if @new;
        return $self->get_auth_key;
    }

    sub set_auth_key ($self, $auth_key, $dc_id = undef) {
        my $bytes = ($auth_key && $auth_key->key) // '';
        die 'an auth key has 256 bytes' if length $bytes and length $bytes != 256;
        my $slot = defined $dc_id ? _whole($dc_id, 255, 'a data centre id') : $self->{dc_id};
        delete $self->{auth_keys}{$slot};
        # A closure hides its bytes when the session is printed.
        $self->{auth_keys}{$slot} = sub { $bytes } if length $bytes;
        return;
    }

    sub get_auth_key ($self, $dc_id = undef) {
        my $kept = $self->{auth_keys}{ $dc_id // $self->{dc_id} };
        return $kept && AuthKey->new($kept->());
    }

    sub test_servers ($self, @new) {
        if (@new) {
            my $flag = $new[0] ? 1 : 0;
            die 'test_servers is locked, as this session has a key'
                if $flag != $self->{test_servers} and %{ $self->{auth_keys} };
            $self->{test_servers} = $flag;
        }
        return $self->{test_servers};
    }

    sub process_entities ($self, $tlo) {
        my @seen = _list($tlo);
        @seen = (@$tlo{qw(user chat channel)}, map { _list($_) } @$tlo{qw(users chats)})
            if ref $tlo eq 'HASH';
        $self->_remember($_) for map { _entity($_) } @seen;
        return;
    }

    sub get_input_entity ($self, $key) {
        my $found;
        if (ref $key eq 'HASH') {
            return $key if $key->{_} =~ /^input/;
            return { _ => 'inputPeerSelf' } if $key->{_} eq 'user' and $key->{self};
            $found = _entity($key);
        }
        ($found) = grep { $_ } map { $self->{entities}{$_} } $self->_candidates($key) if !$found;
        die 'this session has not seen that entity' if !$found;
        return { %{ $found->{input_peer} } };
    }

    sub load ($self) { return }

    sub save ($self) { return }

    sub close ($self) { return }

    sub delete ($self) {
        %$self = (
            dc_id => 0,
            server_address => undef,
            port => 0,
            test_servers => 0,
            auth_keys => {},
            entities => {},    # by peer, such as "user:5"
            owners => {},      # of "@username" and "+phone": the peer
            namesakes => {},   # by displayed name: its peers, in the order in which they took it
        );
        return;
    }

    sub _whole ($number, $most, $what) {
        my $is = defined $number && !ref $number && $number =~ /^[0-9]+\z/;
        die "$what is a whole number from 1 to $most" if !$is or $number < 1 or $number > $most;
        return $number + 0;
    }

    sub _list ($thing) { return ref $thing eq 'ARRAY' ? @$thing : () }

    # Returns what the session keeps of a TL object, or nothing if this could not address it later.
    sub _entity ($thing) {
        return if ref $thing ne 'HASH' or $thing->{min};
        my ($kind, $less) = $thing->{_} =~ /^(user|chat|channel)(Forbidden|Empty)?\z/ or return;
        my %hash = $kind eq 'chat' ? () : (access_hash => $thing->{access_hash});
        return if grep { !defined } $thing->{id}, values %hash;

        my @names = map { $_->{username} } $thing, _list($thing->{usernames});
        my $digits = ($thing->{phone} // '') =~ s/[^0-9]//gr;
        my $title = $less ? undef : $thing->{title};
        return {
            peer => "$kind:$thing->{id}",
            input_peer => { _ => "inputPeer\u$kind", "${kind}_id" => $thing->{id}, %hash },
            handles => [(map { '@' . lc } _texts(@names)), map { "+$_" } _texts($digits)],
            name => join(' ', _texts(@$thing{qw(first_name last_name)}, $title)),
        };
    }

    sub _texts (@texts) { return grep { length } @texts }

    # Only the newest owner keeps a username or phone number.
    sub _remember ($self, $entity) {
        my ($peer, $name) = @$entity{qw(peer name)};
        my $owners = $self->{owners};
        my $old = $self->{entities}{$peer} // { handles => [], name => '' };
        delete @$owners{ grep { ($owners->{$_} // '') eq $peer } @{ $old->{handles} } };
        $owners->{$_} = $peer for @{ $entity->{handles} };
        $self->{entities}{$peer} = $entity;
        return if $name eq $old->{name};

        my $former = $self->{namesakes}{ $old->{name} } //= [];
        @$former = grep { $_ ne $peer } @$former;
        push @{ $self->{namesakes}{$name} }, $peer;
        return;
    }

    # Returns the peers that the key may mean, the likeliest first.
    sub _candidates ($self, $key) {
        if (ref $key eq 'HASH') {
            my $kind = lc($key->{_} =~ s/^peer//r);
            return "$kind:" . ($key->{id} // $key->{"${kind}_id"} // '');
        }
        return if !defined $key or ref $key;
        my $text = $key =~ s/^\s+|\s+\z//gr;
        if ($text =~ /^-?[0-9]{1,20}\z/) {
            my $id = abs $text;
            return map { "$_:$id" } qw(user chat channel) if $text > 0;
            return ("chat:$id", 'channel:' . ($id - $CHANNEL_MARK));
        }
        my ($link) = $text =~ /^$LINK\z/;
        my $username = $link // $text =~ s/^@//r;
        my @handles = '@' . lc $username;
        unshift @handles, '+' . $text =~ s/[^0-9]//gr if $text =~ /^\+[0-9 ()-]+\z/;
        my @named = map { _list($self->{namesakes}{$_}) } _texts($key, $text);
        return grep { defined } @{ $self->{owners} }{@handles}, @named;
    }
}

# -- The host --

package Host {
    use Data::Dumper ();
    use IO::Handle ();
    use JSON::PP ();
    use POSIX ();
    use Scalar::Util 'blessed';

    my $PROTOCOL = 1;
    my $JSON = JSON::PP->new->utf8->allow_nonref;

    sub new ($class, $session_class) {
        return bless { class => $session_class, members => {}, sessions => {} }, $class;
    }

    # Answers requests until `exit` or the end of the input.
    sub serve ($self) {
        # The session must not read requests, and what it prints must not become an answer.
        open my $requests, '<&', \*STDIN or die "standard input: $!";
        open my $answers, '>&', \*STDOUT or die "standard output: $!";
        open STDIN, '<', '/dev/null' or die "/dev/null: $!";
        open STDOUT, '>&', \*STDERR or die "standard error: $!";
        binmode $_, ':encoding(UTF-8)' for \*STDOUT, \*STDERR;
        $_->autoflush for $answers, \*STDOUT, \*STDERR;

        my $process = $$;
        while (my $line = <$requests>) {
            my $answer = eval { $self->answer($JSON->decode($line)) };
            $answer //= ref $@ eq 'HASH' ? $@ : { fault => "$@" };
            POSIX::_exit(0) if $$ != $process;    # a child that the session's call has forked
            last if $answer->{exit};
            print $answers $JSON->encode($answer), "\n";
        }
        return;
    }

    sub answer ($self, $request) {
        my $method = $self->can("do_$request->{do}") or die "there is no request $request->{do}";
        return $self->$method($request);
    }

    sub do_hello ($self, $request) {
        die { refused => "this host speaks protocol $PROTOCOL, not $request->{protocol}" }
            if $request->{protocol} != $PROTOCOL;
        $self->{members} = $request->{members};
        my %keys = %{ $request->{keys} };
        $self->{keys} = { map { $_ => pack 'H*', $keys{$_} } keys %keys };
        $self->{key_names} = { reverse %{ $self->{keys} } };
        my %hello = (
            protocol => $PROTOCOL,
            language => 'perl',
            name => $self->{class},
            pid => $$,
            promised => eval { $self->{class}->session_profile },
            guess => undef,
        );
        return { returned => \%hello };
    }

    sub do_begin ($self, $request) {
        _change_to($request->{workdir});
        @$self{qw(sessions auth_keys shown)} = ({}, {}, []);
        $SIG{__WARN__} = sub ($warning) {
            push @{ $self->{shown} }, ['warnings', 'a warning', $warning];
            print STDERR $warning;
        };
        return { returned => undef };
    }

    sub do_open ($self, $request) {
        my $name = $request->{session};
        delete $self->{sessions}{$name};
        return $self->attempt('the constructor', sub {
            $self->{sessions}{$name} = $self->{class}->new(@{ $request->{arguments} });
            return;
        });
    }

    sub do_drop ($self, $request) {
        delete $self->{sessions}{ $request->{session} };
        return { returned => undef };
    }

    sub do_has ($self, $request) {
        my ($session, $member) = $self->named($request);
        return { returned => $session->can($member) ? JSON::PP::true : JSON::PP::false };
    }

    sub do_observe ($self, $request) {
        my ($session, $member) = $self->named($request);
        return $self->attempt($member, sub { return $session->$member });
    }

    sub do_set ($self, $request) {
        my ($session, $member) = $self->named($request);
        my $value = $self->build($request->{value});
        return $self->attempt($member, sub { $session->$member($value); return });
    }

    sub do_call ($self, $request) {
        my ($session, $member) = $self->named($request);
        my @arguments = map { $self->build($_) } @{ $request->{arguments} };
        return $self->attempt($member, sub { return $session->$member(@arguments) });
    }

    # These calls never wait, so each one ends before the next begins.
    sub do_together ($self, $request) {
        my @calls = map { my %call; @call{qw(session member arguments)} = @$_; \%call }
            @{ $request->{calls} };
        return { returned => [map { $self->do_call($_) } @calls] };
    }

    sub do_pause ($self, $request) {
        select undef, undef, undef, $request->{milliseconds} / 1000;
        return { returned => undef };
    }

    sub do_chdir ($self, $request) {
        _change_to($request->{directory});
        return { returned => undef };
    }

    sub _change_to ($directory) {
        utf8::encode(my $path = $directory);
        chdir $path or die "$directory: $!";
    }

    sub do_texts ($self, $request) {
        my @texts = @{ $self->{shown} };
        if (my $session = $self->{sessions}{ $request->{session} }) {
            my $dumped = Data::Dumper->new([$session])->Useqq(1)->Dump;
            unshift @texts, ['repr', 'the text', "$session"], ['repr', 'Data::Dumper', $dumped];
        }
        return { returned => \@texts };
    }

    sub do_finish ($self, $) {
        $self->{sessions} = {};
        1 while waitpid(-1, POSIX::WNOHANG) > 0;
        my $has_children = waitpid(-1, POSIX::WNOHANG) == 0;
        return { returned => $has_children ? JSON::PP::false : JSON::PP::true };
    }

    sub do_exit ($self, $) { return { exit => 1 } }

    # Returns the session and the member that a request names.
    sub named ($self, $request) {
        my ($name, $member) = @$request{qw(session member)};
        my $session = $self->{sessions}{$name} or die "there is no session $name";
        die "a session has no member $member" if !$self->{members}{$member};
        return ($session, $member);
    }

    # Runs the session's code, and returns its result or its error as the answer.
    sub attempt ($self, $what, $action) {
        my $result;
        return { returned => $self->show($what, $result) } if eval { $result = $action->(); 1 };
        my $error = "$@";
        push @{ $self->{shown} }, ['errors', "the error of $what", $error];
        my $line = join ' ', split ' ', $error;
        return { raised => $line, everything => $error, fatal => JSON::PP::false };
    }

    # Turns a value of a trace into what the session expects.
    sub build ($self, $value) {
        return [map { $self->build($_) } @$value] if ref $value eq 'ARRAY';
        return $value ? 1 : 0 if JSON::PP::is_bool($value);
        return $value if ref $value ne 'HASH';
        return $value->{int} // $value->{long} if exists $value->{int} or exists $value->{long};
        return { map { $_ => $self->build($value->{$_}) } keys %$value } if !exists $value->{key};

        my $bytes = $self->{keys}{ $value->{key} } // die "there is no key $value->{key}";
        return AuthKey->new($bytes) if !exists $value->{object};
        my $auth_key = $self->{auth_keys}{ $value->{object} } //= AuthKey->new;
        return $auth_key->fill($bytes);
    }

    # Turns the result of a member into a value of a trace. In Perl, numbers and flags look like
    # text, so the member decides the type.
    sub show ($self, $member, $thing) {
        return undef if !defined $thing;
        return $thing ? JSON::PP::true : JSON::PP::false if $member eq 'test_servers';
        return $thing + 0 if $member =~ /^(dc_id|port)\z/ and !ref $thing and $thing =~ /^[0-9]+\z/;
        return "$thing" if !ref $thing;
        if (blessed $thing and $thing->can('key')) {
            my $bytes = $thing->key // '';
            my $name = $self->{key_names}{$bytes};
            return defined $name ? { key => $name } : { key => 'unknown', bytes => length $bytes };
        }
        return { map { $_ => "$thing->{$_}" } keys %$thing }
            if ref $thing eq 'HASH' and ($thing->{_} // '') =~ /^input/;
        return { perl => ref $thing };
    }
}

Host->new('MemorySession')->serve;
