//! `raise NotImplementedError`, where it stands for code that is not written.
//!
//! Invariant: a finding spans from `raise` to the end of what is raised.

use std::ops::Range;

use super::blocks::{Blocks, Opener};
use super::scopes::{Place, Scopes, is_abstract};
use crate::finding::{Confidence, Found, Severity};
use crate::language::tokens::Tokens;
use crate::rules::names::is_double;
use crate::rules::{RuleId, message};

const MESSAGE: &str = "This raises because something is not implemented: write the code; if subclasses have to, mark the \
                       method with `@abstractmethod`; if it is refused on purpose, raise an error that says why.";

/// From here on a finding should not land.
const SURE: u8 = 70;

/// Below this one is as likely meant to stay.
const DOUBTFUL: u8 = 50;

/// All of them that are not exempt.
pub(super) fn find(code: &Tokens<'_>, blocks: &Blocks, scopes: &Scopes) -> Vec<Found> {
    let raises = code.words(&["raise"]).filter_map(|index| Raise::at(code, index));
    raises.filter_map(|raise| raise.judge(code, blocks, scopes)).collect()
}

struct Raise {
    index: usize,
    end: usize,
    /// What stands in the brackets.
    arguments: Range<usize>,
}

impl Raise {
    fn at(code: &Tokens<'_>, index: usize) -> Option<Self> {
        let raised = code.name(index + 1)?;
        if !matches!(raised, "NotImplementedError" | "NotImplemented")
            || index > 0 && code.is(index - 1, b'.')
        {
            return None;
        }
        let close = if code.is(index + 2, b'(') { code.partner(index + 2) } else { None };
        let (end, arguments) = close.map_or((index + 1, 0..0), |close| (close, index + 3..close));
        Some(Self { index, end, arguments })
    }

    fn judge(&self, code: &Tokens<'_>, blocks: &Blocks, scopes: &Scopes) -> Option<Found> {
        let line = blocks.line_of(self.index);
        let inline = blocks.lines[line].tokens.start != self.index;
        let around = if inline { Some(line) } else { blocks.lines[line].parent };
        let function = around.and_then(|around| match blocks.opener(code, around) {
            Opener::Function(keyword) => Some((around, code.text(keyword + 1))),
            _ => None,
        });
        let percent = match function {
            Some((around, name)) if self.is_whole_body(code, blocks, (around, line)) => {
                self.whole_body(code, blocks, scopes, (around, name))?
            }
            _ => self.somewhere(code, blocks, scopes, line)?,
        };
        let confidence = Confidence(percent);
        let severity = match percent {
            SURE.. => Severity::Error,
            DOUBTFUL.. => Severity::Warning,
            _ => Severity::Note,
        };
        let (start, end) = (code.start(self.index), code.end(self.end));
        let fix = None;
        Some(Found { rule: RuleId::StubThrow, start, end, severity, confidence, message: MESSAGE, fix })
    }

    /// Whether the function of one line consists of this on another, beside documentation.
    fn is_whole_body(&self, code: &Tokens<'_>, blocks: &Blocks, (function, line): (usize, usize)) -> bool {
        if function == line {
            return code.is(self.index - 1, b':');
        }
        let documented =
            line == function + 2 && is_documentation(code, blocks.lines[function + 1].tokens.clone());
        let ends = blocks.lines.get(line + 1).is_none_or(|next| next.indent <= blocks.lines[function].indent);
        ends && (line == function + 1 || documented)
    }

    /// Percent, where the function consists of it.
    fn whole_body(
        &self,
        code: &Tokens<'_>,
        blocks: &Blocks,
        scopes: &Scopes,
        (line, name): (usize, &str),
    ) -> Option<u8> {
        if is_double(name) || blocks.decorators(code, line).any(|decorator| is_abstract(code, decorator)) {
            return None;
        }
        let said = self.says(code)?;
        let special = name.starts_with("__") && name.ends_with("__") && name != "__init__";
        match scopes.place(code, blocks, line) {
            Place::Exempt => None,
            Place::Method(class) if scopes.class(class).is_base => None,
            Place::Method(_) if said == Said::Refused || special => Some(50),
            Place::Method(_) if said == Said::Missing => Some(85),
            Place::Method(_) => Some(65),
            Place::Module | Place::Inner => Some(if said == Said::Refused { 55 } else { 90 }),
        }
    }

    /// Percent, where other statements stand beside it.
    fn somewhere(&self, code: &Tokens<'_>, blocks: &Blocks, scopes: &Scopes, line: usize) -> Option<u8> {
        if scopes.place(code, blocks, line) == Place::Exempt {
            return None;
        }
        match self.says(code)? {
            Said::Missing => Some(75),
            Said::Nothing => Some(60),
            Said::Refused => None,
            Said::Other => Some(40),
        }
    }

    /// What the message says; `None` where it asks subclasses.
    fn says(&self, code: &Tokens<'_>) -> Option<Said> {
        let mut texts = self.arguments.clone().take(12).filter(|index| code.is_text(*index)).peekable();
        let Some(first) = texts.peek().map(|index| code.text(*index)) else {
            return Some(if self.arguments.is_empty() { Said::Nothing } else { Said::Other });
        };
        let mut said = if message::opens_missing(first).is_some() { Said::Missing } else { Said::Other };
        for text in texts.map(|index| code.text(index)) {
            if message::is_abstract(text) {
                return None;
            }
            if message::closes_missing(text).is_some() {
                said = Said::Missing;
            } else if said == Said::Other && message::is_refusal(text) {
                said = Said::Refused;
            }
        }
        Some(said)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    /// There is no message.
    Nothing,
    /// Code is missing.
    Missing,
    /// Something is refused.
    Refused,
    /// Something else.
    Other,
}

/// Whether a line is nothing but a string.
pub(super) fn is_documentation(code: &Tokens<'_>, line: Range<usize>) -> bool {
    let prefixed =
        code.name(line.start).is_some_and(is_prefix) && code.end(line.start) == code.start(line.start + 1);
    let start = line.start + usize::from(prefixed);
    start < line.end && line.len() < 32 && (start..line.end).all(|index| code.is_text(index))
}

/// Whether a name can stand right before a string and belong to it.
fn is_prefix(name: &str) -> bool {
    name.len() <= 2 && name.bytes().all(|byte| b"rbuf".contains(&byte.to_ascii_lowercase()))
}
