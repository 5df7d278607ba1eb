//! Pure: an image's configuration (image-spec's config.md, and Docker's of the same shape), and the
//! config.json that comes of it (image-spec's conversion.md).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::document::Document;
use super::mount;
use super::mount::Mount;
use super::user::User;
use crate::error::{Context, Error, Kind, Result};

/// What the annotations begin with that are made of an image.
const PREFIX: &str = "org.opencontainers.image.";

/// Annotations that a runtime or systemd obeys: this one, crun, runc, Kata Containers, gVisor. Whoever
/// made an image must not command them by a label: they name programs, sockets, files and units of the
/// host.
const OBEYED: [&str; 8] = [
    "dev.gvisor.",
    "dev.rrun.",
    "io.katacontainers.",
    "krun.",
    "module.wasm.",
    "org.criu.",
    "org.systemd.property.",
    "run.oci.",
];

/// The most variables and volumes of an image: more than any has, few enough that none of what is done
/// with each of them takes long.
const MAX_VARIABLES: usize = 10_000;
const MAX_VOLUMES: usize = 1_000;

/// An image's configuration, as far as it says something of a container.
#[derive(Debug, Clone, Default)]
pub struct Image {
    os: String,
    architecture: String,
    variant: String,
    os_version: String,
    os_features: Vec<String>,
    author: String,
    created: String,
    config: Program,
}

/// `config`: what to run.
#[derive(Debug, Clone, Default)]
struct Program {
    user: String,
    exposed_ports: Vec<String>,
    env: Vec<String>,
    entrypoint: Vec<String>,
    cmd: Vec<String>,
    volumes: Vec<String>,
    working_dir: String,
    labels: BTreeMap<String, String>,
    stop_signal: String,
}

/// An object of the document; its members are read by hand, since derived readers would be larger than
/// all else here. What is missing or null is empty, as Go reads it.
struct Object<'a> {
    members: Option<&'a Map<String, Value>>,
    pointer: &'static str,
}

impl<'a> Object<'a> {
    fn of(value: Option<&'a Value>, pointer: &'static str) -> Result<Object<'a>> {
        let members = match value {
            None | Some(Value::Null) => None,
            Some(Value::Object(members)) => Some(members),
            Some(_) => return Err(Error::config(pointer, "is no object")),
        };
        Ok(Object { members, pointer })
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members?.get(name).filter(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, what: &str) -> Error {
        Error::config(format!("{}/{name}", self.pointer), format!("is no {what}"))
    }

    fn text(&self, name: &str) -> Result<String> {
        let Some(value) = self.get(name) else { return Ok(String::new()) };
        value.as_str().map(str::to_owned).ok_or_else(|| self.wrong(name, "string"))
    }

    fn list(&self, name: &str) -> Result<Vec<String>> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let members = value.as_array().map(|it| it.iter().map(|it| Some(it.as_str()?.to_owned())));
        members.and_then(Iterator::collect).ok_or_else(|| self.wrong(name, "list of strings"))
    }

    /// The names of an object's members, sorted.
    fn names(&self, name: &str) -> Result<Vec<String>> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let object = value.as_object().ok_or_else(|| self.wrong(name, "object"))?;
        Ok(object.keys().cloned().collect())
    }

    fn texts(&self, name: &str) -> Result<BTreeMap<String, String>> {
        let Some(value) = self.get(name) else { return Ok(BTreeMap::new()) };
        let text = |(name, value): (&String, &Value)| {
            Some((name.clone(), value.as_str().unwrap_or_default().to_owned()))
                .filter(|_| value.is_string() || value.is_null())
        };
        let members = value.as_object().map(|object| object.iter().map(text));
        members.and_then(Iterator::collect).ok_or_else(|| self.wrong(name, "object of strings"))
    }
}

impl Program {
    fn read(object: &Object<'_>) -> Result<Program> {
        Ok(Program {
            user: object.text("User")?,
            exposed_ports: object.names("ExposedPorts")?,
            env: object.list("Env")?,
            entrypoint: object.list("Entrypoint")?,
            cmd: object.list("Cmd")?,
            volumes: object.names("Volumes")?,
            working_dir: object.text("WorkingDir")?,
            labels: object.texts("Labels")?,
            stop_signal: object.text("StopSignal")?,
        })
    }
}

impl Image {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Malformed JSON and values of the wrong type, with the JSON pointer of the member; and an image of
    /// another system than Linux.
    pub fn parse(bytes: &[u8]) -> Result<Image> {
        let document: Value = serde_json::from_slice(bytes)
            .map_err(|error| Error::message(Kind::Config, format!("not valid JSON: {error}")))?;
        if !document.is_object() {
            let text = "not valid JSON: expected an object";
            return Err(Error::message(Kind::Config, text));
        }
        let object = Object::of(Some(&document), "")?;
        if object.get("schemaVersion").is_some() {
            let text = "this is an image's manifest or index, and not its configuration";
            return Err(Error::message(Kind::Config, text))
                .hint(|| "a manifest names the configuration at /config/digest");
        }
        let image = Image {
            os: object.text("os")?,
            architecture: object.text("architecture")?,
            variant: object.text("variant")?,
            os_version: object.text("os.version")?,
            os_features: object.list("os.features")?,
            author: object.text("author")?,
            created: object.text("created")?,
            config: Program::read(&Object::of(object.get("config"), "/config")?)?,
        };
        if !["", "linux"].contains(&image.os.as_str()) {
            let text = format!("the image is for `{}`, not for Linux", image.os.escape_debug());
            return Err(Error::config("/os", text));
        }
        Ok(image)
    }

    /// Who its program runs as, in the image's own words: see [`super::Users::resolve`].
    pub fn user(&self) -> &str {
        &self.config.user
    }

    /// The processor that it is for, in Go's words (`amd64`, `arm64`); empty where it does not say.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }
}

impl Document {
    /// Takes program, environment, directory, volumes and annotations of an image, for `user`, which
    /// its own words have been resolved to. What could not be taken is returned, a sentence each.
    ///
    /// # Errors
    /// What no config.json can say: NUL bytes; and more variables or volumes than make sense.
    pub fn apply_image(&mut self, image: &Image, user: &User) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        let program = &image.config;
        program.check_counts()?;
        if let Some(text) = program.strings().find(|text| text.contains('\0')) {
            let text = format!("`{}` has a NUL byte", text.escape_debug());
            return Err(Error::message(Kind::Config, format!("the image's configuration: {text}")));
        }
        if !program.entrypoint.is_empty() || !program.cmd.is_empty() {
            self.args = [program.entrypoint.as_slice(), program.cmd.as_slice()].concat();
        }
        for entry in &program.env {
            if self.set_env(entry).is_err() {
                warnings.push(format!("Env: `{}` is not NAME=VALUE", entry.escape_debug()));
            }
        }
        self.cwd = format!("/{}", program.working_dir.trim_start_matches('/'));
        self.user = user.clone();
        for path in &program.volumes {
            match volume(path) {
                Ok(mount) if self.mounts.contains(&mount) => {}
                Ok(mount) => self.mounts.push(mount),
                Err(why) => {
                    warnings.push(format!("Volumes: `{}` {why}", path.escape_debug()));
                }
            }
        }
        self.annotations.extend(image.annotations(&mut warnings));
        Ok(warnings)
    }
}

impl Program {
    fn check_counts(&self) -> Result<()> {
        let counts =
            [("Env", self.env.len(), MAX_VARIABLES), ("Volumes", self.volumes.len(), MAX_VOLUMES)];
        match counts.into_iter().find(|(_, count, most)| count > most) {
            None => Ok(()),
            Some((name, count, most)) => {
                let text =
                    format!("{count} members are more than the {most} that an image may have");
                Err(Error::config(format!("/config/{name}"), text))
            }
        }
    }

    /// What becomes an argument of execve(2) or chdir(2).
    fn strings(&self) -> impl Iterator<Item = &String> {
        let lists = self.entrypoint.iter().chain(&self.cmd).chain(&self.env);
        lists.chain(&self.volumes).chain([&self.working_dir])
    }
}

/// A volume, unless it would cover what is the container's.
fn volume(path: &str) -> Result<Mount, &'static str> {
    let clean = mount::destination(path).ok_or("is no absolute path below the root")?;
    let is_below = |place: &str| {
        let rest = clean.strip_prefix(place);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if ["/proc", "/sys", "/dev"].iter().any(|place| is_below(place)) {
        return Err("is the container's own and stays as it is");
    }
    Ok(Mount::volume(&clean))
}

impl Image {
    /// The annotations of conversion.md. A label wins over what the image says elsewhere.
    fn annotations(&self, warnings: &mut Vec<String>) -> BTreeMap<String, String> {
        let mut annotations: BTreeMap<String, String> = [
            ("os", self.os.clone()),
            ("architecture", self.architecture.clone()),
            ("variant", self.variant.clone()),
            ("os.version", self.os_version.clone()),
            ("os.features", self.os_features.join(",")),
            ("author", self.author.clone()),
            ("created", self.created.clone()),
            ("stopSignal", self.config.stop_signal.clone()),
            ("exposedPorts", self.config.exposed_ports.join(",")),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (format!("{PREFIX}{name}"), value))
        .collect();
        for (name, value) in &self.config.labels {
            if OBEYED.iter().any(|obeyed| name.starts_with(obeyed)) {
                let name = name.escape_debug();
                warnings.push(format!("Labels: `{name}` is left out: runtimes would obey it"));
            } else if !name.is_empty() {
                annotations.insert(name.clone(), value.clone());
            }
        }
        annotations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    const WHOLE: &str = r#"{"created":"2024-01-01T00:00:00Z","author":"A <a@b>","architecture":"arm64",
        "variant":"v8","os":"linux","os.version":"1","os.features":["f","g"],
        "config":{"User":"web:log","ExposedPorts":{"80/tcp":{},"53/udp":{}},
            "Env":["PATH=/bin","A=1","A=2","broken"],"Entrypoint":["/init","-x"],"Cmd":["serve"],
            "Volumes":{"/data/":{},"/proc/x":{},"rel":{},"/":{}},"WorkingDir":"/srv",
            "Labels":{"a":"b","":"x","org.opencontainers.image.author":"L","run.oci.hooks.stdout":"/x",
                "dev.rrun.rootfs.layers":"[\"/\"]","org.systemd.property.X":"1"},
            "StopSignal":"SIGQUIT","Healthcheck":{"Test":["CMD"]},"ArgsEscaped":true},
        "rootfs":{"type":"layers","diff_ids":["sha256:0"]},"history":[{}]}"#;

    fn applied(text: &str) -> (Document, Vec<String>) {
        let image = Image::parse(text.as_bytes()).unwrap();
        let mut document = Document::for_images();
        let user = User { uid: 1, gid: 2, additional_gids: vec![3] };
        let warnings = document.apply_image(&image, &user).unwrap();
        (document, warnings)
    }

    #[test]
    fn everything_that_conversion_md_names() {
        let (document, warnings) = applied(WHOLE);
        let config: spec::Config = spec::parse(document.to_json().unwrap().as_bytes()).unwrap();
        let process = config.process.unwrap();
        assert_eq!(process.args, ["/init", "-x", "serve"]);
        assert_eq!(process.env, ["PATH=/bin", "A=2"]);
        assert_eq!(process.cwd.to_str(), Some("/srv"));
        assert_eq!((process.user.uid, process.user.gid), (1, 2));
        assert_eq!(process.user.additional_gids, [3]);
        let volumes: Vec<_> = config.mounts.iter().skip(7).map(|it| &it.destination).collect();
        assert_eq!(volumes, [std::path::Path::new("/data")]);
        let annotations: Vec<_> =
            config.annotations.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            annotations,
            [
                "a=b",
                "org.opencontainers.image.architecture=arm64",
                "org.opencontainers.image.author=L",
                "org.opencontainers.image.created=2024-01-01T00:00:00Z",
                "org.opencontainers.image.exposedPorts=53/udp,80/tcp",
                "org.opencontainers.image.os=linux",
                "org.opencontainers.image.os.features=f,g",
                "org.opencontainers.image.os.version=1",
                "org.opencontainers.image.stopSignal=SIGQUIT",
                "org.opencontainers.image.variant=v8",
            ]
        );
        assert_eq!(warnings.len(), 7, "{warnings:?}");
        let image = Image::parse(WHOLE.as_bytes()).unwrap();
        assert_eq!((image.user(), image.architecture()), ("web:log", "arm64"));
    }

    #[test]
    fn an_image_that_says_nothing() {
        for text in [
            "{}",
            r#"{"config":null,"os":null}"#,
            r#"{"config":{"Entrypoint":null,"Cmd":null,"Env":null,"Volumes":null,"Labels":null,
                "WorkingDir":"","User":"","ExposedPorts":null,"StopSignal":null}}"#,
        ] {
            let (document, warnings) = applied(text);
            assert!(warnings.is_empty());
            assert_eq!((document.args, document.cwd), (vec!["sh".to_owned()], "/".to_owned()));
            assert!(document.annotations.is_empty());
        }
    }

    #[test]
    fn mistakes() {
        for (text, expected) in [
            ("[]", "not valid JSON"),
            ("{", "not valid JSON"),
            (r#"{"schemaVersion":2,"config":{},"layers":[]}"#, "this is an image's manifest"),
            (r#"{"os":"windows"}"#, "/os: the image is for `windows`"),
            (r#"{"config":{"Env":"A=1"}}"#, "/config/Env: is no list of strings"),
            (r#"{"config":{"Volumes":["/a"]}}"#, "/config/Volumes: is no object"),
        ] {
            let error = Image::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let image = Image::parse(br#"{"config":{"Cmd":["a\u0000b"]}}"#).unwrap();
        let error = Document::for_images().apply_image(&image, &User::default()).unwrap_err();
        assert!(error.to_string().contains("NUL byte"), "{error}");
    }

    #[test]
    fn an_image_cannot_keep_us_busy() {
        let env: Vec<_> = (0..=MAX_VARIABLES).map(|at| format!("V{at}=")).collect();
        let volumes: Map<_, _> =
            (0..=MAX_VOLUMES).map(|at| (format!("/{at}"), Value::Null)).collect();
        for (member, value) in [("Env", Value::from(env)), ("Volumes", Value::from(volumes))] {
            let text = serde_json::json!({"config": {member: value}}).to_string();
            let image = Image::parse(text.as_bytes()).unwrap();
            let error = Document::for_images().apply_image(&image, &User::default()).unwrap_err();
            assert!(error.to_string().starts_with(&format!("/config/{member}: 1")), "{error}");
        }
    }

    #[test]
    fn no_label_commands_a_runtime() {
        for name in OBEYED {
            let text = serde_json::json!({"config": {"Labels": {format!("{name}x"): "1"}}});
            let (document, warnings) = applied(&text.to_string());
            assert!(document.annotations.is_empty() && warnings.len() == 1, "{name}");
        }
    }
}
