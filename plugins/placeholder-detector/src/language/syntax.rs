//! How the families of languages write comments and strings.
//!
//! Invariant: inside a table longer openers stand before their own beginnings. Strings that a language lets run
//! over lines are listed so only where an unmatched quote is rare: in the others one stray apostrophe would turn
//! the rest of the file inside out.

/// Where an opener counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Everywhere.
    Any,
    /// At the start of a word, as in shells: `$#` and `a#b` are no comments.
    AfterSpace,
    /// First on its line.
    LineStart,
    /// Not after `:`, which would be an address: `https://…`.
    NotAfterColon,
    /// Not directly after a letter or digit: `don't`, `1'000`.
    NotAfterWord,
}

/// What opens a comment that ends with its line.
pub(super) struct Line {
    pub(super) open: &'static str,
    pub(super) guard: Guard,
}

/// A comment with a closing mark.
pub(super) struct Block {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    pub(super) nested: bool,
    pub(super) guard: Guard,
}

/// How a closing quote is written inside a string.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// Not at all.
    None,
    /// After a backslash.
    Backslash,
    /// Twice.
    Doubled,
    /// C++: the close is `)`, the word before the `(`, and `"`.
    Delimiter,
}

/// A string.
pub(super) struct Quote {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    pub(super) escape: Escape,
    /// Whether it may run over lines.
    pub(super) lines: bool,
    pub(super) guard: Guard,
}

/// An element whose content is in another language.
pub(super) struct Embed {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    pub(super) syntax: &'static Syntax,
}

/// What is read of a text beside its comments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Nothing.
    Other,
    /// The tokens of Python.
    Python,
    /// The tokens of JavaScript and TypeScript: templates with code in them, regular expressions, and markup.
    Script,
}

/// All of it for one family.
pub(super) struct Syntax {
    pub(super) line: &'static [Line],
    pub(super) block: &'static [Block],
    pub(super) strings: &'static [Quote],
    pub(super) embeds: &'static [Embed],
    /// What else there is to read.
    pub(super) family: Family,
    /// `...` is no statement.
    pub(super) lone_dots: bool,
}

const fn line(open: &'static str, guard: Guard) -> Line {
    Line { open, guard }
}

const fn block(open: &'static str, close: &'static str) -> Block {
    Block { open, close, nested: false, guard: Guard::Any }
}

const fn nested(open: &'static str, close: &'static str) -> Block {
    Block { open, close, nested: true, guard: Guard::Any }
}

/// On one line, with backslashes.
const fn quote(mark: &'static str) -> Quote {
    Quote { open: mark, close: mark, escape: Escape::Backslash, lines: false, guard: Guard::Any }
}

/// Over lines, with backslashes.
const fn long(mark: &'static str) -> Quote {
    Quote { lines: true, ..quote(mark) }
}

/// Over lines, without escapes.
const fn raw(open: &'static str, close: &'static str) -> Quote {
    Quote { open, close, escape: Escape::None, lines: true, guard: Guard::Any }
}

const SLASHES: Line = line("//", Guard::NotAfterColon);
const HASH: Line = line("#", Guard::Any);
const HASH_WORD: Line = line("#", Guard::AfterSpace);
const STARS: Block = block("/*", "*/");
const NESTED_STARS: Block = nested("/*", "*/");
const DOUBLE: Quote = quote("\"");
const SINGLE: Quote = quote("'");
const SINGLE_WORD: Quote = Quote { guard: Guard::NotAfterWord, ..quote("'") };

const NOTHING: Syntax =
    Syntax { line: &[], block: &[], strings: &[], embeds: &[], family: Family::Other, lone_dots: false };

/// C and C++.
pub(super) static C: Syntax = Syntax {
    line: &[SLASHES],
    block: &[STARS],
    strings: &[
        Quote { open: "R\"", close: "\"", escape: Escape::Delimiter, lines: true, guard: Guard::Any },
        DOUBLE,
        SINGLE_WORD,
    ],
    lone_dots: true,
    ..NOTHING
};

/// Java, Kotlin, Scala, Swift, Dart, Groovy and others with `"""`.
pub(super) static JAVA: Syntax = Syntax {
    line: &[SLASHES],
    block: &[STARS],
    strings: &[long("\"\"\""), DOUBLE, SINGLE],
    lone_dots: true,
    ..NOTHING
};

/// As [`JAVA`], where block comments nest.
pub(super) static KOTLIN: Syntax = Syntax {
    line: &[SLASHES],
    block: &[NESTED_STARS],
    strings: &[long("\"\"\""), DOUBLE, SINGLE],
    lone_dots: true,
    ..NOTHING
};

/// C#.
pub(super) static C_SHARP: Syntax = Syntax {
    line: &[SLASHES],
    block: &[STARS],
    strings: &[
        raw("\"\"\"", "\"\"\""),
        Quote { escape: Escape::Doubled, ..raw("@$\"", "\"") },
        Quote { escape: Escape::Doubled, ..raw("@\"", "\"") },
        DOUBLE,
        SINGLE,
    ],
    lone_dots: true,
    ..NOTHING
};

/// Go.
pub(super) static GO: Syntax = Syntax {
    line: &[SLASHES],
    block: &[STARS],
    strings: &[raw("`", "`"), DOUBLE, SINGLE],
    lone_dots: true,
    ..NOTHING
};

/// JavaScript and TypeScript, with the markup that they may hold.
pub(super) static SCRIPT: Syntax = Syntax {
    line: &[SLASHES],
    block: &[STARS],
    strings: &[DOUBLE, SINGLE_WORD],
    family: Family::Script,
    lone_dots: true,
    ..NOTHING
};

/// PHP.
pub(super) static PHP: Syntax =
    Syntax { line: &[SLASHES, HASH_WORD], block: &[STARS], strings: &[DOUBLE, SINGLE_WORD], ..NOTHING };

/// JSON, with the comments that many files of that name have.
pub(super) static JSON: Syntax =
    Syntax { line: &[SLASHES], block: &[STARS], strings: &[DOUBLE], lone_dots: true, ..NOTHING };

/// Python. Its docstrings are strings.
pub(super) static PYTHON: Syntax = Syntax {
    line: &[HASH],
    strings: &[long("\"\"\""), long("'''"), DOUBLE, SINGLE],
    family: Family::Python,
    ..NOTHING
};

/// TOML.
pub(super) static TOML: Syntax = Syntax {
    line: &[HASH],
    strings: &[long("\"\"\""), raw("'''", "'''"), DOUBLE, Quote { escape: Escape::None, ..quote("'") }],
    ..NOTHING
};

/// YAML.
pub(super) static YAML: Syntax = Syntax {
    line: &[HASH_WORD],
    strings: &[
        Quote { guard: Guard::NotAfterWord, ..quote("\"") },
        Quote { escape: Escape::Doubled, guard: Guard::NotAfterWord, ..quote("'") },
    ],
    ..NOTHING
};

/// Shells and what is written like them. Here-documents are read as code.
pub(super) static SHELL: Syntax = Syntax {
    line: &[HASH_WORD],
    strings: &[DOUBLE, Quote { escape: Escape::None, ..SINGLE_WORD }],
    ..NOTHING
};

/// Ruby.
pub(super) static RUBY: Syntax = Syntax {
    line: &[HASH_WORD],
    block: &[Block { guard: Guard::LineStart, ..block("=begin", "=end") }],
    strings: &[DOUBLE, SINGLE_WORD],
    ..NOTHING
};

/// Elixir, R, Julia, GraphQL and others with `#` and perhaps `"""`.
pub(super) static HASHED: Syntax =
    Syntax { line: &[HASH_WORD], strings: &[long("\"\"\""), DOUBLE, SINGLE_WORD], ..NOTHING };

/// PowerShell.
pub(super) static POWERSHELL: Syntax =
    Syntax { line: &[HASH_WORD], block: &[block("<#", "#>")], strings: &[DOUBLE, SINGLE_WORD], ..NOTHING };

/// INI and its kin.
pub(super) static INI: Syntax =
    Syntax { line: &[line("#", Guard::LineStart), line(";", Guard::LineStart)], ..NOTHING };

/// HCL and Nix.
pub(super) static HCL: Syntax =
    Syntax { line: &[HASH_WORD, SLASHES], block: &[STARS], strings: &[raw("''", "''"), DOUBLE], ..NOTHING };

/// XML.
pub(super) static XML: Syntax = Syntax { block: &[block("<!--", "-->")], ..NOTHING };

/// HTML and the component files that look like it.
pub(super) static HTML: Syntax = Syntax {
    block: &[block("<!--", "-->")],
    embeds: &[
        Embed { open: "<script", close: "</script", syntax: &SCRIPT },
        Embed { open: "<style", close: "</style", syntax: &SCSS },
    ],
    ..NOTHING
};

/// CSS.
pub(super) static CSS: Syntax = Syntax { block: &[STARS], strings: &[DOUBLE, SINGLE_WORD], ..NOTHING };

/// CSS's dialects with line comments.
pub(super) static SCSS: Syntax = Syntax {
    line: &[SLASHES],
    block: &[STARS],
    strings: &[
        Quote { open: "url(", close: ")", escape: Escape::Backslash, lines: false, guard: Guard::Any },
        DOUBLE,
        SINGLE_WORD,
    ],
    ..NOTHING
};

/// SQL.
pub(super) static SQL: Syntax = Syntax {
    line: &[line("--", Guard::Any)],
    block: &[STARS],
    strings: &[Quote { escape: Escape::Doubled, ..raw("'", "'") }, DOUBLE],
    ..NOTHING
};

/// Lua.
pub(super) static LUA: Syntax = Syntax {
    line: &[line("--", Guard::Any)],
    block: &[block("--[[", "]]")],
    strings: &[raw("[[", "]]"), DOUBLE, SINGLE_WORD],
    ..NOTHING
};

/// Haskell and Elm.
pub(super) static HASKELL: Syntax =
    Syntax { line: &[line("--", Guard::Any)], block: &[nested("{-", "-}")], strings: &[DOUBLE], ..NOTHING };

/// OCaml and F#.
pub(super) static ML: Syntax =
    Syntax { line: &[SLASHES], block: &[nested("(*", "*)")], strings: &[DOUBLE], ..NOTHING };

/// Lisps.
pub(super) static LISP: Syntax = Syntax {
    line: &[line(";", Guard::Any)],
    block: &[nested("#|", "|#")],
    strings: &[long("\"")],
    ..NOTHING
};

/// Erlang and TeX.
pub(super) static PERCENT: Syntax = Syntax { line: &[line("%", Guard::AfterSpace)], ..NOTHING };
