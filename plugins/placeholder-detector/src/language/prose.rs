//! Text without a lexer: Markdown and plain text, line by line.
//!
//! Invariant: code blocks of Markdown are examples, and nothing in them is reported.

use super::{Comment, Kind, Lexed};

/// What starts a comment in one language or another. Tried in this order.
const COMMENT_STARTS: [&str; 7] = ["//", "/*", "#", "--", ";", "%", "(*"];

/// The paragraphs and the HTML comments of a Markdown text.
pub(super) fn markdown(text: &str) -> Lexed {
    let mut lexed = Lexed::default();
    let mut fence: Option<&str> = None;
    let mut at = 0;
    while at < text.len() {
        let end = line_end(text, at);
        let line = text[at..end].trim_start();
        let next = if let Some(mark) = fence {
            if line.starts_with(mark) {
                fence = None;
            }
            end
        } else if let Some(mark) = ["```", "~~~"].into_iter().find(|mark| line.starts_with(mark)) {
            fence = Some(mark);
            end
        } else {
            prose_line(text, at, end, &mut lexed)
        };
        at = next.max(end) + 1;
    }
    lexed
}

/// One line of Markdown: text, then perhaps a comment that may end lines later. Returns where it went to.
fn prose_line(text: &str, at: usize, end: usize, lexed: &mut Lexed) -> usize {
    let Some(open) = text[at..end].find("<!--").map(|found| at + found) else {
        lexed.comments.push(Comment { kind: Kind::Prose, span: at..end, body: at..end });
        return end;
    };
    lexed.comments.push(Comment { kind: Kind::Prose, span: at..open, body: at..open });
    let body = open + "<!--".len();
    let (body_end, close) = match text[body..].find("-->") {
        Some(found) => (body + found, body + found + "-->".len()),
        None => (text.len(), text.len()),
    };
    lexed.comments.push(Comment { kind: Kind::Block, span: open..close, body: body..body_end });
    line_end(text, close)
}

/// The lines of a text in no known language.
pub(super) fn plain(text: &str) -> Lexed {
    let mut lexed = Lexed::default();
    let mut at = 0;
    while at < text.len() {
        let end = line_end(text, at);
        let indent = text[at..end].len() - text[at..end].trim_start().len();
        let start = at + indent;
        let mark = COMMENT_STARTS.iter().find(|mark| text[start..end].starts_with(**mark));
        let kind = if mark.is_some() { Kind::Guess } else { Kind::Prose };
        let body = start + mark.map_or(0, |mark| mark.len());
        lexed.comments.push(Comment { kind, span: start..end, body: body..end });
        at = end + 1;
    }
    lexed
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |found| at + found)
}

#[cfg(test)]
mod tests {
    use super::{Kind, markdown, plain};

    fn bodies(lexed: &super::Lexed, text: &str, kind: Kind) -> Vec<String> {
        let wanted = lexed.comments.iter().filter(|comment| comment.kind == kind);
        wanted.map(|comment| text[comment.body.clone()].trim().to_owned()).collect()
    }

    #[test]
    fn markdown_has_text_and_comments_and_skips_its_code() {
        let text = "one <!-- two\nthree --> four\n```rust\nfive\n```\nsix\n~~~\nseven";
        let lexed = markdown(text);
        assert_eq!(bodies(&lexed, text, Kind::Prose), ["one", "six"]);
        assert_eq!(bodies(&lexed, text, Kind::Block), ["two\nthree"]);
    }

    #[test]
    fn an_unclosed_comment_of_markdown_runs_to_the_end() {
        let text = "<!-- one\ntwo";
        assert_eq!(bodies(&markdown(text), text, Kind::Block), ["one\ntwo"]);
    }

    #[test]
    fn plain_text_takes_a_line_with_a_comment_mark_for_a_comment() {
        let text = "one\n  -- two\r\n\n";
        assert_eq!(bodies(&plain(text), text, Kind::Guess), ["two"]);
        assert_eq!(bodies(&plain(text), text, Kind::Prose), ["one", ""]);
    }
}
