//! The known languages, and how one is told from a name, a path or a first line.

use super::syntax::{self, Syntax};

/// How a language is read.
#[derive(Clone, Copy)]
pub(super) enum Grammar {
    /// With Rust's own lexer.
    Rust,
    /// With the small lexer and its table.
    Code(&'static Syntax),
    /// Running text with blocks of code.
    Markdown,
    /// Nothing is known.
    Plain,
}

/// A language, or several that are read alike.
pub(super) struct Language {
    /// Its name, in lower case.
    pub(super) name: &'static str,
    /// Other names, and the ends of file names: `rs` in `main.rs`.
    also: &'static [&'static str],
    /// Whole file names, in lower case.
    files: &'static [&'static str],
    /// Programs after `#!` that run it.
    programs: &'static [&'static str],
    /// How it is read.
    pub(super) grammar: Grammar,
}

impl Language {
    const fn new(name: &'static str, also: &'static [&'static str], grammar: Grammar) -> Self {
        Self { name, also, files: &[], programs: &[], grammar }
    }

    const fn files(self, files: &'static [&'static str]) -> Self {
        Self { files, ..self }
    }

    const fn programs(self, programs: &'static [&'static str]) -> Self {
        Self { programs, ..self }
    }

    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.also.contains(&name)
    }
}

/// What has no better name.
pub(super) static PLAIN: Language = Language::new("text", &["txt", "plain", "plaintext"], Grammar::Plain);

const fn code(name: &'static str, also: &'static [&'static str], syntax: &'static Syntax) -> Language {
    Language::new(name, also, Grammar::Code(syntax))
}

static LANGUAGES: &[Language] = &[
    Language::new("rust", &["rs"], Grammar::Rust).programs(&["cargo", "rust-script"]),
    code("python", &["py", "pyi", "pyw", "python3", "bzl", "bazel"], &syntax::PYTHON)
        .files(&["sconstruct", "build", "workspace"])
        .programs(&["python", "pypy", "uv"]),
    code("javascript", &["js", "mjs", "cjs", "jsx", "javascriptreact"], &syntax::SCRIPT)
        .programs(&["node", "bun"]),
    code("typescript", &["ts", "mts", "cts", "tsx", "typescriptreact"], &syntax::SCRIPT)
        .programs(&["deno", "ts-node", "tsx"]),
    code("go", &["golang"], &syntax::GO),
    code("java", &[], &syntax::JAVA),
    code("c", &["h"], &syntax::C),
    code("c++", &["cpp", "cc", "cxx", "hpp", "hh", "hxx", "cu", "objective-c", "m", "mm"], &syntax::C),
    code("c#", &["cs", "csharp"], &syntax::C_SHARP),
    code("kotlin", &["kt", "kts", "scala", "swift", "dart"], &syntax::KOTLIN),
    code("groovy", &["gradle", "proto", "protobuf", "zig", "sol", "solidity", "thrift"], &syntax::JAVA)
        .files(&["jenkinsfile"]),
    code("php", &[], &syntax::PHP).programs(&["php"]),
    code("ruby", &["rb", "rake", "gemspec"], &syntax::RUBY)
        .files(&["gemfile", "rakefile", "vagrantfile"])
        .programs(&["ruby"]),
    code("shell", &["sh", "bash", "zsh", "ksh", "fish", "shellscript"], &syntax::SHELL)
        .files(&[".bashrc", ".bash_profile", ".zshrc", ".profile", ".env"])
        .programs(&["sh", "bash", "zsh", "dash", "ksh", "fish"]),
    code("perl", &["pl", "pm", "tcl", "awk"], &syntax::SHELL).programs(&["perl", "tclsh", "awk"]),
    code(
        "makefile",
        &["mk", "make", "cmake", "just", "dockerfile", "gitignore", "properties"],
        &syntax::SHELL,
    )
    .files(&["makefile", "gnumakefile", "cmakelists.txt", "justfile", "dockerfile", "containerfile"]),
    code("powershell", &["ps1", "psm1"], &syntax::POWERSHELL).programs(&["pwsh"]),
    code("yaml", &["yml"], &syntax::YAML),
    code("toml", &[], &syntax::TOML).files(&["cargo.lock", "poetry.lock"]),
    code("json", &["jsonc", "json5"], &syntax::JSON),
    code("ini", &["cfg", "conf", "editorconfig", "service"], &syntax::INI),
    code("hcl", &["tf", "tfvars", "terraform", "nix"], &syntax::HCL),
    code("html", &["htm", "xhtml", "vue", "svelte", "astro"], &syntax::HTML),
    code("xml", &["svg", "xsd", "xsl", "plist", "csproj"], &syntax::XML),
    code("css", &[], &syntax::CSS),
    code("scss", &["sass", "less"], &syntax::SCSS),
    code("sql", &["psql", "plsql"], &syntax::SQL),
    code("lua", &[], &syntax::LUA).programs(&["lua", "luajit"]),
    code("haskell", &["hs", "elm"], &syntax::HASKELL).programs(&["runhaskell"]),
    code("ocaml", &["ml", "mli", "fs", "fsx", "f#"], &syntax::ML).programs(&["ocaml"]),
    code("lisp", &["clj", "cljs", "edn", "clojure", "scm", "scheme", "rkt", "el"], &syntax::LISP),
    code("elixir", &["ex", "exs", "r", "jl", "julia", "graphql", "gql"], &syntax::HASHED)
        .programs(&["elixir", "rscript", "julia"]),
    code("erlang", &["erl", "hrl", "tex", "latex"], &syntax::PERCENT).programs(&["escript"]),
    Language::new("markdown", &["md", "mdx", "markdn"], Grammar::Markdown),
];

/// The language: by its name where that is given and known, else by the path, else by a first line with `#!`,
/// else none in particular.
pub(super) fn detect(name: Option<&str>, path: Option<&str>, text: &str) -> &'static Language {
    match name {
        Some(name) => by_name(&name.trim().to_ascii_lowercase()),
        None => path.and_then(by_path).or_else(|| by_first_line(text)),
    }
    .unwrap_or(&PLAIN)
}

fn by_name(name: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.is_called(name))
}

fn by_path(path: &str) -> Option<&'static Language> {
    let file = path.rsplit(['/', '\\']).next()?.to_ascii_lowercase();
    let whole = LANGUAGES.iter().find(|language| language.files.contains(&file.as_str()));
    whole.or_else(|| by_name(file.rsplit_once('.')?.1)).or_else(|| {
        // `Dockerfile.dev` is a Dockerfile.
        let stem = file.split('.').next()?;
        LANGUAGES.iter().find(|language| language.files.contains(&stem))
    })
}

fn by_first_line(text: &str) -> Option<&'static Language> {
    let line = text.trim_start_matches('\u{feff}').strip_prefix("#!")?.lines().next()?;
    let mut words = line.split_ascii_whitespace();
    let mut program = words.next()?.rsplit('/').next()?;
    if program == "env" {
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    }
    let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').to_ascii_lowercase();
    LANGUAGES.iter().find(|language| language.programs.contains(&program.as_str()))
}

#[cfg(test)]
mod tests {
    use super::{Grammar, LANGUAGES, detect};
    use std::collections::HashSet;

    #[test]
    fn a_given_name_wins_over_the_path_and_the_path_over_the_first_line() {
        let cases = [
            (Some("Python"), Some("a.rs"), "", "python"),
            (Some("no such"), Some("a.rs"), "", "text"),
            (None, Some("src/a.RS"), "#!/bin/sh", "rust"),
            (None, Some("dir.rs/Makefile"), "", "makefile"),
            (None, Some("Dockerfile.dev"), "", "makefile"),
            (None, Some(r"c:\x\y.tsx"), "", "typescript"),
            (None, Some("run"), "#!/usr/bin/env -S A=1 python3.12 -u\n", "python"),
            (None, None, "\u{feff}#!/bin/bash\r\n", "shell"),
            (None, None, "#!", "text"),
            (None, Some(""), "", "text"),
            (None, Some("notes.txt"), "", "text"),
        ];
        for (name, path, text, expected) in cases {
            assert_eq!(detect(name, path, text).name, expected, "{name:?} {path:?} {text:?}");
        }
    }

    #[test]
    fn no_two_languages_share_a_name() {
        let mut seen = HashSet::new();
        for language in LANGUAGES {
            for name in language.also.iter().chain([&language.name]) {
                assert!(seen.insert(*name), "{name} twice");
                assert_eq!(*name, name.to_lowercase());
            }
        }
        assert!(matches!(detect(Some("rs"), None, "").grammar, Grammar::Rust));
    }
}
