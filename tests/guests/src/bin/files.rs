//! Works with files: by the standard library, and by WASI's own calls, which take paths as they are.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};

use hubcap_sdk::{Error, Output};
use test_guests::{Value, answer, number, text};
use wasip2::clocks::wall_clock::Datetime;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, ErrorCode, NewTimestamp, OpenFlags, PathFlags, filesystem_error_code,
};
use wasip2::io::streams::StreamError;

/// `ok` with what there is to say, or the kind of the error.
fn outcome(result: io::Result<impl std::fmt::Display>) -> String {
    match result {
        Ok(said) => format!("ok {said}"),
        Err(error) => kind(&error),
    }
}

/// The kind of an error. The standard library has none for these on WASI, only their numbers.
fn kind(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(19) => "Quota".into(),
        Some(29) => "Io".into(),
        _ => format!("{:?}", error.kind()),
    }
}

/// One operation of the standard library.
fn act(arguments: &Value) -> Result<Output, Error> {
    let (path, to, content) = (text(arguments, "path"), text(arguments, "to"), text(arguments, "text"));
    let done = |()| "";
    answer(match text(arguments, "op") {
        "read" => outcome(fs::read_to_string(path)),
        "write" => outcome(fs::write(path, content).map(done)),
        "append" => outcome(append(path, content).map(done)),
        "list" => outcome(list(path)),
        "stat" => outcome(fs::metadata(path).map(|found| found.len())),
        "modified" => outcome(fs::metadata(path).and_then(|found| found.modified()).map(|_| "")),
        "mkdir" => outcome(fs::create_dir(path).map(done)),
        "rmdir" => outcome(fs::remove_dir(path).map(done)),
        "remove" => outcome(fs::remove_file(path).map(done)),
        "rename" => outcome(fs::rename(path, to).map(done)),
        "link" => outcome(fs::hard_link(path, to).map(done)),
        "truncate" => outcome(OpenOptions::new().write(true).truncate(true).open(path).map(|_| "")),
        "size" => outcome(sized(path, number(arguments, "size")).map(done)),
        "write-at" => outcome(write_at(path, number(arguments, "at"), content).map(done)),
        other => return Err(Error::invalid_arguments(other)),
    })
}

fn append(path: &str, content: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(content.as_bytes())
}

fn list(path: &str) -> io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().into_string().unwrap());
    }
    names.sort();
    Ok(names.join(","))
}

fn sized(path: &str, size: u64) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path)?.set_len(size)
}

fn write_at(path: &str, at: u64, content: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(content.as_bytes())
}

/// The directories that it has.
fn roots(_arguments: &Value) -> Result<Output, Error> {
    answer(get_directories().into_iter().map(|(_, path)| path).collect::<Vec<_>>().join(","))
}

fn root(arguments: &Value) -> Result<Descriptor, Error> {
    let wanted = format!("/{}", text(arguments, "dir"));
    let found = get_directories().into_iter().find(|(_, path)| *path == wanted);
    found.map(|(root, _)| root).ok_or_else(|| Error::upstream("no such root"))
}

fn word<T>(result: Result<T, ErrorCode>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(code) => code.name().into(),
    }
}

/// What WASI says to opening, looking at and making each path, in this order.
fn paths(arguments: &Value) -> Result<Output, Error> {
    let root = root(arguments)?;
    let mut said = Vec::new();
    for path in arguments["paths"].as_array().unwrap() {
        let path = path.as_str().unwrap();
        let follow = PathFlags::SYMLINK_FOLLOW;
        let open = root.open_at(follow, path, OpenFlags::empty(), DescriptorFlags::READ).map(drop);
        let stat = root.stat_at(follow, path).map(drop);
        let create = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        let make = root.open_at(follow, path, create, DescriptorFlags::WRITE).map(drop);
        said.push(format!("{} {} {}", word(open), word(stat), word(make)));
    }
    answer(said.join("\n"))
}

/// Whatever changes something, by WASI's own calls, and what each says.
fn changes(arguments: &Value) -> Result<Output, Error> {
    let root = root(arguments)?;
    let (follow, none) = (PathFlags::SYMLINK_FOLLOW, PathFlags::empty());
    let (read, write) = (DescriptorFlags::READ, DescriptorFlags::WRITE);
    let file =
        root.open_at(follow, "a", OpenFlags::empty(), read).map_err(|code| Error::upstream(code.name()))?;
    let open = |flags, how| root.open_at(follow, "a", flags, how).map(drop);
    let said = [
        ("truncate", word(open(OpenFlags::TRUNCATE, read))),
        ("open to write", word(open(OpenFlags::empty(), write))),
        ("create", word(root.open_at(follow, "new", OpenFlags::CREATE, write).map(drop))),
        ("set-size", word(file.set_size(0))),
        ("write", word(file.write(b"x", 0))),
        ("write stream", word(file.write_via_stream(0).map(drop))),
        ("append stream", word(file.append_via_stream().map(drop))),
        ("set-times", word(file.set_times(NewTimestamp::Now, NewTimestamp::Now))),
        ("set-times-at", word(root.set_times_at(follow, "a", NewTimestamp::Now, NewTimestamp::Now))),
        ("mkdir", word(root.create_directory_at("new"))),
        ("symlink", word(root.symlink_at("a", "new"))),
        ("link", word(root.link_at(none, "a", &root, "new"))),
        ("rename", word(root.rename_at("a", &root, "b"))),
        ("unlink", word(root.unlink_file_at("a"))),
        ("rmdir", word(root.remove_directory_at("d"))),
        ("rmdir .", word(root.remove_directory_at("."))),
    ];
    answer(said.map(|(what, word)| format!("{what}: {word}")).join("\n"))
}

/// Makes a symbolic link, to whatever.
fn symlink(arguments: &Value) -> Result<Output, Error> {
    answer(word(root(arguments)?.symlink_at(text(arguments, "to"), text(arguments, "path"))))
}

/// Gives a file a time, by its handle and by its name, and says what came of both and of a look at it.
fn times(arguments: &Value) -> Result<Output, Error> {
    let root = root(arguments)?;
    let (seconds, nanoseconds) = (number(arguments, "seconds"), number(arguments, "nanos") as u32);
    let at = NewTimestamp::Timestamp(Datetime { seconds, nanoseconds });
    let (follow, write) = (PathFlags::SYMLINK_FOLLOW, DescriptorFlags::WRITE);
    let file = root.open_at(follow, "a", OpenFlags::empty(), write);
    let file = file.map_err(|code| Error::upstream(code.name()))?;
    let said =
        [word(file.set_times(at, at)), word(root.set_times_at(follow, "a", at, at)), word(file.stat())];
    answer(said.join(" "))
}

/// Opens a file over and over, and says how often it was read and how often denied; or that it ever held
/// something else than it should, or could not be opened for another reason.
fn hammer(arguments: &Value) -> Result<Output, Error> {
    let (mut read, mut denied) = (0, 0);
    for _ in 0..number(arguments, "tries") {
        match fs::read_to_string(text(arguments, "path")) {
            Ok(content) if content != text(arguments, "text") => {
                return answer(format!("escaped: {content}"));
            }
            Ok(_) => read += 1,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => denied += 1,
            Err(error) => return answer(format!("failed: {error}")),
        }
    }
    answer(format!("{read} {denied}"))
}

/// Writes until it may not any more, and says how much and why.
fn fill(arguments: &Value) -> Result<Output, Error> {
    let root = root(arguments)?;
    let failed = |code: ErrorCode| Error::upstream(code.name());
    let (none, write) = (PathFlags::empty(), DescriptorFlags::WRITE);
    let file = root.open_at(none, text(arguments, "path"), OpenFlags::CREATE, write).map_err(failed)?;
    let stream = file.append_via_stream().map_err(failed)?;
    let mut written = 0;
    loop {
        match stream.blocking_write_and_flush(&[b'x'; 4_096]) {
            Ok(()) => written += 4_096,
            Err(StreamError::Closed) => return answer(format!("{written} closed")),
            Err(StreamError::LastOperationFailed(error)) => {
                let why = filesystem_error_code(&error).map_or("nothing", |code| code.name());
                return answer(format!("{written} {why}"));
            }
        }
    }
}

/// Makes empty files until it may not any more, and says how many and why.
fn many(arguments: &Value) -> Result<Output, Error> {
    for made in 0..number(arguments, "n") {
        if let Err(error) = File::create(format!("{}/{made}", text(arguments, "path"))) {
            return answer(format!("{made} {}", kind(&error)));
        }
    }
    answer("all")
}

/// Holds a file open many times.
fn hold(arguments: &Value) -> Result<Output, Error> {
    let open = |_| File::open(text(arguments, "path"));
    let held: io::Result<Vec<File>> = (0..number(arguments, "n")).map(open).collect();
    answer(held?.len())
}

/// Counts the names in a directory, and in as many listings of it at once.
fn count(arguments: &Value) -> Result<Output, Error> {
    let listing = |_| fs::read_dir(text(arguments, "path"));
    let listings: io::Result<Vec<_>> = (0..number(arguments, "listings").max(1)).map(listing).collect();
    answer(listings?.into_iter().flatten().count())
}

/// Reads all of a file, and keeps none of it.
fn length(arguments: &Value) -> Result<Output, Error> {
    let mut file = File::open(text(arguments, "path"))?;
    let (mut piece, mut read) = (vec![0; 1 << 20], 0);
    loop {
        match file.read(&mut piece)? {
            0 => return answer(read),
            part => read += part,
        }
    }
}

/// What the SDK says of a directory.
fn directory(arguments: &Value) -> Result<Output, Error> {
    let name = text(arguments, "dir");
    let path = match text(arguments, "op") {
        "write" => hubcap_sdk::files::writable(name)?,
        _ => hubcap_sdk::files::readable(name)?,
    };
    answer(path.display())
}

test_guests::tools! {
    "act" => act, "roots" => roots, "paths" => paths, "changes" => changes, "symlink" => symlink,
    "hammer" => hammer, "fill" => fill, "many" => many, "hold" => hold, "count" => count,
    "length" => length, "directory" => directory, "times" => times,
}
