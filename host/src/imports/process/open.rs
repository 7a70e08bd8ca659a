//! The commands of a plugin, looked at once, when it is loaded.
//!
//! Invariant: a command whose program is not there or could be changed by others refuses the plugin, in words
//! for the operator; and what is found here is what every start is compared with.

use std::ffi::OsString;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use super::seats::{Programs, Seats};
use super::{Command, Commands};
use crate::imports::Directories;
use crate::model::PluginId;
use crate::policy::CommandGrant;
use crate::program::{Inherited, Program, Template};

/// Longest that looking at a program's file may take.
const FIND_DEADLINE: Duration = Duration::from_secs(5);

impl Commands {
    /// Looks at what a plugin is granted. `asked` are the names of all commands that it asks for.
    ///
    /// # Errors
    /// Which command cannot be used and why, in words for the operator.
    pub(crate) async fn open(
        plugin: &PluginId,
        asked: Vec<String>,
        grants: &[CommandGrant],
        directories: &Directories,
        programs: Arc<Programs>,
    ) -> Result<Arc<Self>, String> {
        let mut commands = Vec::new();
        for grant in grants {
            let command = open(grant, directories, FIND_DEADLINE).await.map_err(|why| {
                format!(
                    "bad command: {} {why}; it is granted as `process.{}` under [plugins.{plugin}.grant] in hubcap.toml",
                    grant.path.display(),
                    grant.name
                )
            });
            commands.push(Arc::new(command?));
        }
        Ok(Arc::new(Self { plugin: plugin.clone(), asked, commands, programs }))
    }
}

async fn open(grant: &CommandGrant, directories: &Directories, time: Duration) -> Result<Command, String> {
    let path = grant.path.clone();
    let program = in_time(move || Program::find(&path), time).await?;
    let template = Template::new(&grant.shape).map_err(|why| format!("cannot be used: {why}"))?;
    let directory = grant.directory.as_deref().map(|name| directory(name, directories)).transpose()?;
    Ok(Command {
        name: grant.name.clone(),
        program,
        template,
        env: grant.env.clone(),
        inherited: grant.inherit.iter().filter_map(inherited).collect(),
        directory,
        deadline: grant.deadline,
        seats: Seats::new(grant.at_once),
    })
}

/// Beside the runtime's own threads: a disk that answers nothing at all holds up a thread, but nobody waits.
async fn in_time(
    find: impl FnOnce() -> Result<Program, String> + Send + 'static,
    time: Duration,
) -> Result<Program, String> {
    match tokio::time::timeout(time, tokio::task::spawn_blocking(find)).await {
        Ok(found) => found.unwrap_or_else(|_| Err("cannot be looked at: that crashed".into())),
        Err(_) => Err(format!("takes longer than {} s to look at", FIND_DEADLINE.as_secs())),
    }
}

fn directory(name: &str, directories: &Directories) -> Result<(String, Arc<File>), String> {
    match directories.handle(name) {
        Some(directory) => Ok((name.to_owned(), directory)),
        None => Err(format!("would work in the directory {name:?}, which is not granted as `files.{name}`")),
    }
}

/// A variable of hubcap's own, where it is set.
fn inherited(name: &Inherited) -> Option<(String, OsString)> {
    Some((name.as_str().to_owned(), std::env::var_os(name.as_str())?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::{FIND_DEADLINE, Program, in_time};

    #[tokio::test]
    async fn a_program_is_found_in_time_or_refused() {
        let find = |path: &'static str| move || Program::find(Path::new(path));
        assert!(in_time(find("/bin/sh"), FIND_DEADLINE).await.is_ok());
        let none = in_time(find("/no/such/program"), FIND_DEADLINE).await;
        assert!(none.unwrap_err().contains("is not there"));
        let (answer, disk) = std::sync::mpsc::channel::<()>();
        let slow = move || {
            let _ = disk.recv();
            Program::find(Path::new("/bin/sh"))
        };
        let late = in_time(slow, Duration::from_millis(10)).await;
        assert!(late.unwrap_err().contains("takes longer than 5 s"));
        drop(answer);
    }
}
