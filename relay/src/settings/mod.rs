//! The settings of a run. The command line's definition in [`crate::cli`] is the only one: each of
//! its options may also be a key of the configuration file, and a variable of the environment.
//!
//! What the environment and the file set is put before the real options as further options, unless
//! the command line has the same option. So all three go through the same parsers.

mod file;
pub(crate) mod report;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::cli::{Arguments, ONLY_OPTIONS};

/// What the names of variables begin with.
const PREFIX: &str = "SIGNAL_RELAY_";

/// The variable that names the configuration file.
const CONFIG: &str = "SIGNAL_RELAY_CONFIG";

/// A key of the file that is at least so similar to a known one is taken for that one, misspelt.
const SIMILAR: f64 = 0.7;

/// The same for a variable, which may well belong to something else.
const VERY_SIMILAR: f64 = 0.9;

/// The settings of a run.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) arguments: Arguments,
    pub(crate) values: Vec<Setting>,
    /// Variables that look like misspelt ones.
    pub(crate) warnings: Vec<String>,
}

/// One setting, as `--check` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: String,
    /// `None`: it isn't set and has no default.
    pub(crate) values: Option<Vec<String>>,
    pub(crate) source: Source,
    /// Whether it may have several values.
    pub(crate) is_list: bool,
}

/// Where a setting's value is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    File { path: PathBuf, line: usize },
    Environment(String),
    Option,
}

/// Why settings can't be used.
#[derive(Debug)]
pub(crate) enum Problem {
    /// clap has the words for it, and the exit code; `--help` and `--version` are among these.
    CommandLine(clap::Error),
    /// The configuration file can't be read.
    Unreadable(PathBuf, std::io::Error),
    /// The file or a variable has what can't be.
    Invalid(Source, String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Option => f.write_str("option"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine(error) => f.write_str(&first_paragraph(error)),
            Self::Unreadable(path, error) => {
                write!(f, "can't read --config {}: {error}", path.display())
            }
            Self::Invalid(source, what) => write!(f, "{source}: {what}"),
        }
    }
}

impl Settings {
    /// Reads the command line, the environment and the configuration file.
    pub(crate) fn read(
        options: &[OsString],
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Problem> {
        let command = Arguments::command();
        let given = command.clone().try_get_matches_from(options);
        let given = given.map_err(Problem::CommandLine)?;
        let path = given.get_one::<PathBuf>("config").cloned();
        let path = path.or_else(|| environment(CONFIG).map(PathBuf::from));
        let file = match &path {
            Some(path) => file::read(path, &names(&command))?,
            None => Vec::new(),
        };
        let mut layered = Vec::new();
        let mut sources = Vec::new();
        for argument in settings(&command) {
            if given.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine) {
                continue;
            }
            let from_environment = variable(argument, environment)?;
            let from_file = || {
                file.iter()
                    .find(|entry| Some(&*entry.name) == argument.get_long())
            };
            let Some((source, values)) = from_environment.or_else(|| {
                let entry = from_file()?;
                let (path, line) = (path.clone()?, entry.line);
                Some((Source::File { path, line }, entry.values.clone()))
            }) else {
                continue;
            };
            let options = as_options(argument, &values);
            check(&command, argument, &options)
                .map_err(|what| Problem::Invalid(source.clone(), what))?;
            layered.extend(options);
            sources.push((argument.get_id().clone(), source));
        }
        let (program, rest) = options.split_first().unzip();
        // Settings are no part of a subcommand's own options.
        let rest = rest.filter(|_| given.subcommand_name().is_none());
        let all = program.into_iter().cloned();
        let all = all.chain(layered.into_iter().map(OsString::from));
        let all = all.chain(rest.into_iter().flatten().cloned());
        let matches = command.clone().try_get_matches_from(all);
        let matches = matches.map_err(Problem::CommandLine)?;
        let mut arguments = Arguments::from_arg_matches(&matches).map_err(Problem::CommandLine)?;
        if given.subcommand_name().is_some() {
            let given = Arguments::from_arg_matches(&given).map_err(Problem::CommandLine)?;
            arguments.command = given.command;
        }
        let values = settings(&command);
        let values = values.map(|argument| {
            let found = sources.iter().find(|(id, _)| id == argument.get_id());
            let mut setting = setting(argument, &matches, found.map(|(_, source)| source.clone()));
            if setting.values.is_none() {
                setting.values = arguments.computed(&setting.name).map(|value| vec![value]);
            }
            setting
        });
        let values = values.collect();
        Ok(Self {
            arguments,
            values,
            warnings: misspelt(&names(&command)),
        })
    }
}

/// The options that are settings.
fn settings(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|argument| {
        argument
            .get_long()
            .is_some_and(|name| !ONLY_OPTIONS.contains(&name))
    })
}

fn names(command: &Command) -> Vec<&str> {
    settings(command).filter_map(Arg::get_long).collect()
}

fn is_list(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Append)
}

fn is_flag(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::SetTrue)
}

/// The name of an option's variable.
fn variable_name(option: &str) -> String {
    let name = option.replace('-', "_").to_uppercase();
    format!("{PREFIX}{name}")
}

/// What the environment sets, if it does. The values of a list are separated by commas.
fn variable(
    argument: &Arg,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Option<(Source, Vec<String>)>, Problem> {
    let name = variable_name(argument.get_long().unwrap_or_default());
    let Some(value) = environment(&name) else {
        return Ok(None);
    };
    let source = Source::Environment(name);
    let Ok(value) = value.into_string() else {
        return Err(Problem::Invalid(source, "its value isn't UTF-8".into()));
    };
    let values = if is_list(argument) {
        let items = value.split(',').map(str::trim);
        items
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    } else {
        vec![value]
    };
    Ok(Some((source, values)))
}

/// Values as options of the command line. A flag is an option without a value.
fn as_options(argument: &Arg, values: &[String]) -> Vec<String> {
    let name = argument.get_long().unwrap_or_default();
    if is_flag(argument) {
        return match values {
            [value] if value == "true" => vec![format!("--{name}")],
            [value] if value == "false" => Vec::new(),
            _ => vec![format!("--{name}={}", values.concat())],
        };
    }
    let values = values.iter();
    values.map(|value| format!("--{name}={value}")).collect()
}

/// Parses options alone, so that an error is about them. How they go with others is found later.
fn check(command: &Command, argument: &Arg, options: &[String]) -> Result<(), String> {
    let all = std::iter::once("signal-relay").chain(options.iter().map(String::as_str));
    let Err(error) = command.clone().try_get_matches_from(all) else {
        return Ok(());
    };
    if matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict
    ) && (options.len() < 2 || is_list(argument))
    {
        return Ok(());
    }
    if report::is_secret(argument.get_long().unwrap_or_default()) {
        return Err(format!("invalid value for '{argument}'"));
    }
    Err(first_paragraph(&error))
}

/// An error of clap in one line, without its advice on usage.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let lines = text.lines().take_while(|line| !line.is_empty());
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

fn setting(argument: &Arg, matches: &ArgMatches, source: Option<Source>) -> Setting {
    let id = argument.get_id().as_str();
    let from = match matches.value_source(id) {
        Some(ValueSource::CommandLine) => Source::Option,
        _ => Source::Default,
    };
    let values = if is_flag(argument) {
        Some(vec![matches.get_flag(id).to_string()])
    } else {
        let raw = matches.get_raw(id);
        raw.map(|values| {
            values
                .map(|value| value.to_string_lossy().into_owned())
                .collect()
        })
    };
    Setting {
        name: argument.get_long().unwrap_or_default().to_owned(),
        values,
        source: source.unwrap_or(from),
        is_list: is_list(argument),
    }
}

/// The known name that is most like this one, if one is at least so similar.
fn nearest<'a>(name: &str, known: &[&'a str], least: f64) -> Option<&'a str> {
    let similar = known
        .iter()
        .map(|known| (strsim::jaro(name, known), *known));
    similar
        .filter(|(similarity, _)| *similarity >= least)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

/// Variables of ours that no option has. They are no error: a container's environment may have
/// some that begin alike.
fn misspelt(known: &[&str]) -> Vec<String> {
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let unknown = variables.filter_map(|variable| {
        let name = variable
            .strip_prefix(PREFIX)?
            .replace('_', "-")
            .to_lowercase();
        if name == "config" || known.contains(&&*name) {
            return None;
        }
        let meant = variable_name(nearest(&name, known, VERY_SIMILAR)?);
        Some(format!("{variable} isn't a setting; did you mean {meant}?"))
    });
    unknown.collect()
}

/// What has changed between two reads of the settings: name, old and new value.
pub(crate) fn changes<'a>(
    old: &'a [Setting],
    new: &'a [Setting],
) -> impl Iterator<Item = (&'a str, String, String)> {
    old.iter()
        .zip(new)
        .filter(|(old, new)| old.values != new.values)
        .map(|(old, new)| (&*old.name, report::value(old), report::value(new)))
}
