//! Environment variables that a program may be given: by a plugin, or from hubcap's own environment.
//!
//! Invariant: what makes a loader, a shell, an interpreter or a tool run other code is given by nobody. The
//! lists cannot be whole, so that a name is granted and nothing passes by itself.

use serde::de::{self, Deserialize, Deserializer};

use crate::model::text;

/// Bytes of a variable's name.
const MAX_NAME: usize = 64;
/// Bytes of a value that a plugin sets.
const MAX_VALUE: usize = 32 << 10;

/// Never given. Names with spaces between; a `*` at one end stands for anything.
const NEVER: &[&str] = &[
    // Loaders and C libraries: ld.so(8), dyld(1), glibc's list for programs that run as another user
    // (sysdeps/generic/unsecvars.h), sudo's (plugins/sudoers/env.c).
    "LD_* DYLD_* _RLD* LDR_* LIBPATH SHLIB_PATH AUTHSTATE GLIBC_TUNABLES GCONV_PATH GETCONF_DIR LOCPATH",
    "NLSPATH PATH_LOCALE MALLOC_* NIS_PATH HOSTALIASES LOCALDOMAIN RES_OPTIONS RESOLV_HOST_CONF TZDIR",
    // Shells: bash(1), ksh(1), zsh(1), sudo's list.
    "ENV BASH_* BASHOPTS SHELLOPTS IFS CDPATH GLOBIGNORE PS0 PS1 PS2 PS4 PROMPT_COMMAND FPATH NULLCMD",
    "READNULLCMD ZDOTDIR TMPPREFIX",
    // Descriptions of terminals, which are read as files: sudo's list.
    "TERMINFO TERMINFO_DIRS TERMPATH TERMCAP",
    // Interpreters, each by its own manual: options, search paths, files that are read first.
    "PYTHON* PERL* RUBY* GEM_* BUNDLE_* NODE_OPTIONS NODE_PATH NODE_REPL_EXTERNAL_MODULE NPM_CONFIG_*",
    "ELECTRON_RUN_AS_NODE BUN_OPTIONS BUN_INSPECT* JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS CLASSPATH",
    "DOTNET_STARTUP_HOOKS DOTNET_ADDITIONAL_DEPS CORECLR_* COR_* PHPRC PHP_INI_SCAN_DIR LUA_* GUILE_LOAD_*",
    "R_PROFILE* R_ENVIRON* R_LIBS* JULIA_* ERL_* AWKPATH AWKLIBPATH TCLLIBPATH",
    // Libraries that load modules by name: OpenSSL, SASL, Kerberos, GTK, Qt.
    "OPENSSL_CONF OPENSSL_ENGINES OPENSSL_MODULES SASL_PATH KRB5_* GTK_* GTK3_MODULES GIO_*",
    "GDK_PIXBUF_MODULE* QT_PLUGIN_PATH QML*",
    // Tools that run what a variable names: git(1), ssh(1), less(1), make(1), cargo, go, gcc, tar, rsync, vim.
    "GIT_* SSH_ASKPASS* SUDO_ASKPASS SVN_SSH CVS_RSH RSYNC_* HGEDITOR HGMERGE HGRCPATH LESS* MANPAGER MAKE*",
    "GNUMAKEFLAGS RUSTC* RUSTDOC* RUSTFLAGS CARGO_BUILD_* CARGO_TARGET_* CARGO_ENCODED_* GOFLAGS GOTOOLCHAIN",
    "GCC_EXEC_PREFIX COMPILER_PATH TAR_OPTIONS VIMINIT EXINIT MYVIMRC EMACSLOADPATH EMACSDATA",
];

/// What a pattern of [`NEVER`] covers and may still be given: names of people, and switches.
const HARMLESS: &[&str] = &["GIT_AUTHOR_* GIT_COMMITTER_* GIT_TERMINAL_PROMPT GIT_OPTIONAL_LOCKS GTK_THEME"];

/// Given from hubcap's own environment only: they say where programs, files and services are, and a plugin
/// could say another place.
const ONLY_INHERITED: &[&str] = &[
    "PATH HOME *_HOME SHELL USER LOGNAME PWD TMPDIR TMP TEMP XDG_* *_CONFIG_DIR EDITOR VISUAL PAGER BROWSER",
    "SSH_* GPG_* GNUPGHOME DBUS_* DISPLAY WAYLAND_DISPLAY XAUTHORITY *_PROXY SSL_CERT_* CURL_*",
    "REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS CARGO_* RUSTUP_* GOPATH GOROOT GOPROXY DOCKER_* KUBECONFIG AWS_* NIX_*",
];

/// Names of a language or a zone, by which libraries find files: sudo's list of those that it looks into.
const NAMES_OF_FILES: &[&str] = &["LANG LANGUAGE LC_* LINGUAS TERM COLORTERM TZ"];

/// The name of a variable that a plugin may set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variable(String);

/// The name of a variable whose value passes from hubcap's own environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inherited(String);

impl Variable {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Refuses a value that is none, or that means something else than a text.
    ///
    /// # Errors
    /// What is wrong with it, without it.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let name = &self.0;
        let why = if value.contains('\0') {
            "has a NUL in it".to_owned()
        } else if value.len() > MAX_VALUE {
            format!("has {} bytes, more than {MAX_VALUE}", value.len())
        } else if value.starts_with("()") {
            "is a function for a shell".to_owned()
        } else if is_in(NAMES_OF_FILES, name) && value.contains(['/', '%']) {
            "has a `/` or a `%` in it".to_owned()
        } else {
            return Ok(());
        };
        Err(format!("the value of {name} {why}"))
    }
}

impl Inherited {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether one of the patterns covers a name; upper and lower case are one, as `http_proxy` has it.
fn is_in(patterns: &[&str], name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    patterns.iter().flat_map(|line| line.split(' ')).any(|pattern| {
        match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
            (Some(end), _) => name.ends_with(end),
            (_, Some(start)) => name.starts_with(start),
            (None, None) => name == pattern,
        }
    })
}

/// A name that somebody may give to a program.
fn name(written: String) -> Result<String, String> {
    let letter = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    let bytes = written.as_bytes();
    let form = bytes.first().copied().is_some_and(letter)
        && bytes.iter().all(|b| letter(*b) || b.is_ascii_digit())
        && bytes.len() <= MAX_NAME;
    if !form {
        let shown = text::one_line(text::truncate(&written, 100)).into_owned();
        return Err(format!("{shown:?} is no name of a variable: 1 to {MAX_NAME} of [A-Za-z0-9_]"));
    }
    if is_in(NEVER, &written) && !is_in(HARMLESS, &written) {
        return Err(format!("{written} is never given to a program: it can make it run other code"));
    }
    Ok(written)
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = name(String::deserialize(deserializer)?).map_err(de::Error::custom)?;
        if is_in(ONLY_INHERITED, &name) {
            return Err(de::Error::custom(format!(
                "{name} is set by no plugin; the operator can pass hubcap's own with `inherit`"
            )));
        }
        Ok(Self(name))
    }
}

impl<'de> Deserialize<'de> for Inherited {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        name(String::deserialize(deserializer)?).map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};

    use super::{Inherited, MAX_NAME, MAX_VALUE, Variable};

    fn variable(name: &str) -> Result<Variable, String> {
        let read: StrDeserializer<'_, Error> = name.into_deserializer();
        Variable::deserialize(read).map_err(|error| error.to_string())
    }

    fn inherited(name: &str) -> Result<Inherited, String> {
        let read: StrDeserializer<'_, Error> = name.into_deserializer();
        Inherited::deserialize(read).map_err(|error| error.to_string())
    }

    #[test]
    fn what_runs_other_code_is_given_by_nobody() {
        for name in [
            "LD_PRELOAD",
            "ld_preload",
            "LD_AUDIT",
            "DYLD_INSERT_LIBRARIES",
            "GLIBC_TUNABLES",
            "BASH_ENV",
            "ENV",
            "BASH_FUNC_x",
            "SHELLOPTS",
            "IFS",
            "NODE_OPTIONS",
            "npm_config_script_shell",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "PERL5OPT",
            "RUBYOPT",
            "JAVA_TOOL_OPTIONS",
            "GIT_SSH_COMMAND",
            "GIT_CONFIG_COUNT",
            "GIT_EXTERNAL_DIFF",
            "GIT_DIR",
            "LESSOPEN",
            "MAKEFLAGS",
            "RUSTC_WRAPPER",
            "OPENSSL_CONF",
        ] {
            assert!(variable(name).unwrap_err().contains("never given"), "{name}");
            assert!(inherited(name).unwrap_err().contains("never given"), "{name}");
        }
        for name in ["LANG", "GIT_AUTHOR_NAME", "NODE_ENV", "NO_COLOR", "X", "_x9"] {
            assert!(variable(name).is_ok() && inherited(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn where_things_are_is_said_by_the_operator_alone() {
        for name in ["PATH", "HOME", "TMPDIR", "HTTPS_PROXY", "http_proxy", "SSH_AUTH_SOCK", "CARGO_HOME"] {
            assert!(variable(name).unwrap_err().contains("`inherit`"), "{name}");
            assert!(inherited(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_name_has_64_bytes_and_a_value_32_kib_and_neither_has_more() {
        for wrong in ["", "9A", "A=B", "A B", "Ä", "A\0", &"A".repeat(MAX_NAME + 1)] {
            assert!(variable(wrong).unwrap_err().contains("no name of a variable"), "{wrong:?}");
            assert!(inherited(wrong).is_err(), "{wrong:?}");
        }
        let some = variable(&"A".repeat(MAX_NAME)).unwrap();
        assert!(some.check(&"x".repeat(MAX_VALUE)).is_ok() && some.check("a\nb").is_ok());
        assert!(some.check(&"x".repeat(MAX_VALUE + 1)).unwrap_err().contains("more than 32768"));
        assert!(some.check("a\0b").unwrap_err().contains("NUL"));
        assert!(some.check("() { :; }").unwrap_err().contains("function"));
        let language = variable("LC_ALL").unwrap();
        assert!(language.check("de_DE.UTF-8").is_ok());
        for wrong in ["../../tmp/evil", "%n"] {
            assert!(language.check(wrong).is_err(), "{wrong}");
        }
    }
}
