//! Names that must be unique, checked while the plugin compiles.

/// Bytes of a message; a longer one is cut.
const MAX_MESSAGE: usize = 256;

/// Fails the build where `name` is among `others`, whatever the case of its letters.
#[track_caller]
pub(super) const fn check(what: &str, name: &str, others: &[&str], fix: &str) {
    let mut index = 0;
    while index < others.len() {
        if name.eq_ignore_ascii_case(others[index]) {
            fail(&[what, " `", name, "` is registered twice (case does not count): ", fix]);
        }
        index += 1;
    }
}

/// `panic!` takes a whole text only, and there is no `format!` before the program runs.
#[track_caller]
const fn fail(parts: &[&str]) -> ! {
    let mut message = [0; MAX_MESSAGE];
    let mut length = 0;
    let mut part = 0;
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut byte = 0;
        while byte < bytes.len() && length < MAX_MESSAGE {
            message[length] = bytes[byte];
            length += 1;
            byte += 1;
        }
        part += 1;
    }
    match std::str::from_utf8(message.split_at(length).0) {
        Ok(text) => panic!("{}", text),
        Err(_) => panic!("a name is registered twice: rename one"),
    }
}
