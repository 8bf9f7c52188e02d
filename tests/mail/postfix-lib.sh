# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# A Postfix of one's own: loopback ports, nothing of the machine's configuration.  Needs `setup`, as the harness and the bench have it.
#
#   free_ports COUNT                 prints so many
#   eventually CMD...                waits up to a minute until the command succeeds, or ends with status 99
#   listens PORT                     whether somebody does
#   postfix_make FOLDER SINK-PORT MILTERS   FOLDER/etc and what else there is; all mail goes to the sink; MILTERS as smtpd_milters has them
#   postfix_smtpd FOLDER PORT [OPTION...]   one more port where mail is taken, with smtpd's options
#   postfix_start FOLDER, postfix_stop FOLDER

free_ports() {
    python3 -c 'import socket, sys
s = [socket.socket() for _ in range(int(sys.argv[1]))]
[x.bind(("127.0.0.1", 0)) for x in s]
print(*[x.getsockname()[1] for x in s])' "$1"
}

eventually() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || { echo "waited in vain for: $*" && tail -n 20 ./*.log maillog 2>/dev/null; exit 99; }
        sleep 0.2
    done
}

listens() { python3 -c "import socket; socket.create_connection(('127.0.0.1', $1))"; }

postfix_make() {
    mkdir -p "$1/etc" "$1/spool" "$1/data"
    chown postfix "$1/data"
    cat >"$1/etc/main.cf" <<-CF
	compatibility_level = 3.6
	queue_directory = $1/spool
	data_directory = $1/data
	command_directory = /usr/sbin
	daemon_directory = /usr/lib/postfix/sbin
	mail_owner = postfix
	setgid_group = postdrop
	myhostname = mail.test
	mynetworks = 127.0.0.0/8
	inet_interfaces = 127.0.0.1
	inet_protocols = ipv4
	mydestination =
	local_recipient_maps =
	alias_maps =
	relayhost = [127.0.0.1]:$2
	smtpd_relay_restrictions = permit_mynetworks, reject
	smtpd_milters = $3
	non_smtpd_milters = $3
	milter_default_action = tempfail
	minimal_backoff_time = 2s
	maximal_backoff_time = 4s
	queue_run_delay = 2s
	maillog_file = $1/maillog
	maillog_file_prefixes = $1
	smtputf8_enable = no
	CF
    {
        echo 'pickup unix n - n 2 1 pickup'
        echo 'cleanup unix n - n - 0 cleanup'
        echo 'qmgr unix n - n 300 1 qmgr'
        echo 'rewrite unix - - n - - trivial-rewrite'
        for service in bounce defer trace; do echo "$service unix - - n - 0 bounce"; done
        for service in smtp relay; do echo "$service unix - - n - - smtp"; done
        for service in error retry; do echo "$service unix - - n - - error"; done
        echo 'verify unix - - n - 1 verify'
        echo 'proxymap unix - - n - - proxymap'
        echo 'showq unix n - n - - showq'
        echo 'anvil unix - - n - 1 anvil'
        echo 'scache unix - - n - 1 scache'
        echo 'tlsmgr unix - - n 1000? 1 tlsmgr'
        echo 'postlog unix-dgram n - n - 1 postlogd'
    } >"$1/etc/master.cf"
}

postfix_smtpd() {
    folder=$1 port=$2
    shift 2
    echo "127.0.0.1:$port inet n - n - - smtpd $*" >>"$folder/etc/master.cf"
}

postfix_start() { setup postfix -c "$1/etc" start; }
postfix_stop() { postfix -c "$1/etc" stop >/dev/null 2>&1 || true; }
