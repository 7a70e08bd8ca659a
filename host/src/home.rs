//! Where things are: the home, the configuration file, the plugin directories.
//!
//! Invariant: flags come before environment variables, those before the file, that before defaults
//! (the command line has already merged flags and environment).

use std::path::{Path, PathBuf};

use crate::config::{Config, GrantedCommand};
use crate::toml_file::FileError;

/// The configuration's name in a home.
const CONFIG: &str = "hubcap.toml";

/// What the command line says of places.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// `--home` or `HUBCAP_HOME`.
    pub home: Option<PathBuf>,
    /// `--config` or `HUBCAP_CONFIG`.
    pub config: Option<PathBuf>,
    /// `--plugins` or `HUBCAP_PLUGINS`.
    pub plugins: Vec<PathBuf>,
}

/// The places, found, and the configuration, read.
#[derive(Clone, Debug)]
pub struct Home {
    /// Directories to look for plugins in, and single plugin files.
    pub plugin_dirs: Vec<PathBuf>,
    /// Whether the operator named these: one that is missing is then an error.
    pub named: bool,
    /// The configuration.
    pub config: Config,
    /// Where state and the lock are, if there is such a place.
    pub directory: Option<PathBuf>,
    /// Where the configuration is or would be.
    pub config_file: Option<PathBuf>,
}

/// Why the places or the configuration could not be found.
#[derive(Debug)]
pub enum HomeError {
    /// Something that was named is not there or cannot be read.
    Missing(String),
    /// The configuration is wrong.
    Config(FileError),
}

impl std::fmt::Display for HomeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(what) => f.write_str(what),
            Self::Config(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for HomeError {}

impl Home {
    /// Refuses grants by which a plugin could write what hubcap itself reads.
    ///
    /// # Errors
    /// The first of them.
    pub fn guard(&self, config: &Config) -> Result<(), HomeError> {
        let own: Vec<PathBuf> = self.config_file.iter().chain(&self.directory).cloned().collect();
        let keeps: Vec<PathBuf> = self.plugin_dirs.iter().cloned().chain(self.state()).collect();
        let programs = config.by_plugin.values().flat_map(|plugin| plugin.grant.process.values());
        // The file itself, and where the link of its name is.
        let places = |command: &GrantedCommand| {
            [Some(command.path.clone()), command.path.parent().map(Path::to_owned)].into_iter().flatten()
        };
        let programs: Vec<PathBuf> = programs.flat_map(places).collect();
        for (id, plugin) in &config.by_plugin {
            let mut files = plugin.grant.files.iter();
            if let Some((name, files)) = files.find(|(_, files)| files.endangers(&own, &keeps)) {
                return Err(HomeError::Missing(format!(
                    "`[plugins.{id}.grant] files.{}`: a plugin that writes in {} can change hubcap's own files; name a directory beside them, or add `broad = true`",
                    name.as_str(),
                    files.path.display()
                )));
            }
            let mut files = plugin.grant.files.iter();
            if let Some((name, files)) = files.find(|(_, files)| files.endangers(&programs, &[])) {
                return Err(HomeError::Missing(format!(
                    "`[plugins.{id}.grant] files.{}`: a plugin that writes in {} can change a program that is granted as a command; name another directory, or add `broad = true`",
                    name.as_str(),
                    files.path.display()
                )));
            }
        }
        Ok(())
    }

    /// No place at all, only a configuration.
    pub fn nowhere(config: Config) -> Self {
        Self { plugin_dirs: Vec::new(), named: true, config, directory: None, config_file: None }
    }

    /// Where what outlives a call is kept, if there is such a place.
    pub fn state(&self) -> Option<PathBuf> {
        self.directory.as_ref().map(|home| home.join("state"))
    }

    /// Where the audit log is, if there is such a place.
    pub fn audit(&self) -> Option<PathBuf> {
        self.state().map(|state| state.join("audit"))
    }

    /// Where what was accepted of each plugin is kept, if there is such a place.
    pub fn lock(&self) -> Option<PathBuf> {
        self.directory.as_ref().map(|home| home.join("hubcap.lock"))
    }

    /// Finds the places and reads the configuration.
    ///
    /// # Errors
    /// When something that was named is missing, or the configuration is wrong.
    pub fn find(named: &Named) -> Result<Self, HomeError> {
        let directory = home_directory(named)?;
        let config_file = named.config.clone().or_else(|| Some(directory.as_ref()?.join(CONFIG)));
        let config = read_config(named, directory.as_deref())?;
        let dirs =
            if named.plugins.is_empty() { config.plugins.clone() } else { Some(named.plugins.clone()) };
        let home = Self {
            named: dirs.is_some(),
            plugin_dirs: dirs.unwrap_or_else(|| directory.iter().map(|home| home.join("plugins")).collect()),
            config,
            config_file,
            directory,
        };
        home.guard(&home.config)?;
        Ok(home)
    }
}

/// The named home, else the nearest `.hubcap` from here upward, else the user's data directory.
fn home_directory(named: &Named) -> Result<Option<PathBuf>, HomeError> {
    if let Some(home) = &named.home {
        if home.is_dir() {
            return Ok(Some(home.clone()));
        }
        return Err(HomeError::Missing(format!(
            "the home {} is not a directory; create it or name another with --home",
            home.display()
        )));
    }
    let nearest = std::env::current_dir().ok().and_then(|here| nearest_home(&here));
    Ok(nearest.or_else(|| dirs::data_dir().map(|data| data.join("hubcap"))))
}

fn nearest_home(from: &Path) -> Option<PathBuf> {
    from.ancestors().map(|folder| folder.join(".hubcap")).find(|home| home.is_dir())
}

fn read_config(named: &Named, home: Option<&Path>) -> Result<Config, HomeError> {
    let (file, must_exist) = match (&named.config, home) {
        (Some(file), _) => (file.clone(), true),
        (None, Some(home)) => (home.join(CONFIG), false),
        (None, None) => return Ok(Config::default()),
    };
    match std::fs::read_to_string(&file) {
        Ok(content) => Config::parse(&file, &content).map_err(HomeError::Config),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => Ok(Config::default()),
        Err(error) => {
            Err(HomeError::Missing(format!("cannot read the configuration {}: {error}", file.display())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Home, Named};

    #[test]
    fn flags_come_before_the_file_and_the_file_before_the_default() {
        let home = tempfile::tempdir().unwrap();
        let mut named = Named { home: Some(home.path().into()), ..Named::default() };
        let found = Home::find(&named).unwrap();
        assert_eq!((found.plugin_dirs, found.named), (vec![home.path().join("plugins")], false));

        std::fs::write(home.path().join("hubcap.toml"), "plugin-dirs = [\"mine\"]").unwrap();
        assert_eq!(Home::find(&named).unwrap().plugin_dirs, [home.path().join("mine")]);

        named.plugins = vec!["flag".into()];
        let found = Home::find(&named).unwrap();
        assert_eq!((found.plugin_dirs, found.named), (vec!["flag".into()], true));
    }

    #[test]
    fn a_named_home_or_configuration_that_is_missing_is_an_error() {
        let home = Named { home: Some("/no/such/home".into()), ..Named::default() };
        assert!(Home::find(&home).unwrap_err().to_string().contains("/no/such/home"));
        let config = Named { config: Some("/no/such/file".into()), ..Named::default() };
        assert!(Home::find(&config).unwrap_err().to_string().contains("/no/such/file"));
    }
}
