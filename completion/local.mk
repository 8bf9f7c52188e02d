# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += completion/signengine.bash
zshcompletiondir  = $(datadir)/zsh/site-functions
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_zshcompletion_DATA  = completion/_signengine
dist_fishcompletion_DATA = completion/signengine.fish

# bash-completion finds a file by the command's name
bashcompletiondir = $(datadir)/bash-completion/completions
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	$(INSTALL_DATA) $(srcdir)/completion/signengine.bash '$(DESTDIR)$(bashcompletiondir)/signengine'
uninstall-local:
	rm -f '$(DESTDIR)$(bashcompletiondir)/signengine'
