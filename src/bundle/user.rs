//! Pure: a user as images name it, by the image's own passwd(5) and group(5).

use crate::error::{Error, Kind, Result};

/// Who a program runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Supplementary groups.
    pub additional_gids: Vec<u32>,
}

/// The files that users are looked up in; empty where there is none, or nobody has looked.
#[derive(Debug, Clone, Default)]
pub struct Users {
    /// /etc/passwd.
    pub passwd: String,
    /// /etc/group.
    pub group: String,
}

/// The most supplementary groups that the kernel takes (NGROUPS_MAX).
const MAX_GROUPS: usize = 65_536;

impl Users {
    /// Resolves `USER`, `UID`, `USER:GROUP` and their mixtures, as image-spec's config.md has it: where
    /// no group is named it is that of the passwd file, and those of the group file come on top. An
    /// empty name is root's.
    ///
    /// # Errors
    /// A name that the files do not have, what is no number that a user may have, and more groups than
    /// the kernel takes.
    pub fn resolve(&self, text: &str) -> Result<User> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
            None => (text, None),
        };
        let user = if user.is_empty() { "0" } else { user };
        let entry = self.entry(user);
        let uid = match (&entry, number(user)) {
            (Some(entry), _) => entry.uid,
            (None, Some(uid)) => uid,
            (None, None) => return Err(unknown("user", user, "/etc/passwd")),
        };
        if let Some(group) = group {
            return Ok(User { uid, gid: self.gid(group)?, additional_gids: Vec::new() });
        }
        let Some(entry) = entry else { return Ok(User { uid, ..User::default() }) };
        let additional_gids = self.groups_of(entry.name, entry.gid)?;
        Ok(User { uid, gid: entry.gid, additional_gids })
    }

    /// The entry of a name, or of a number where no name is the same.
    fn entry<'a>(&'a self, user: &str) -> Option<Entry<'a>> {
        let entries = || self.passwd.lines().filter_map(Entry::read);
        let named = entries().find(|entry| entry.name == user);
        named.or_else(|| entries().find(|entry| Some(entry.uid) == number(user)))
    }

    fn gid(&self, group: &str) -> Result<u32> {
        let fields = self.group.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let named = fields.clone().find(|fields| fields[0] == group && fields.len() >= 3);
        let found = named.and_then(|fields| number(fields[2])).or_else(|| number(group));
        found.ok_or_else(|| unknown("group", group, "/etc/group"))
    }

    fn groups_of(&self, name: &str, own: u32) -> Result<Vec<u32>> {
        let mut gids = Vec::new();
        for line in self.group.lines() {
            let fields: Vec<_> = line.split(':').collect();
            let [_, _, gid, members, ..] = fields[..] else { continue };
            let Some(gid) = number(gid).filter(|gid| *gid != own && !gids.contains(gid)) else {
                continue;
            };
            if members.split(',').any(|member| member == name) {
                gids.push(gid);
            }
            if gids.len() > MAX_GROUPS {
                let name = name.escape_debug();
                let text =
                    format!("`{name}` is in more than {MAX_GROUPS} groups of its /etc/group");
                return Err(Error::message(Kind::Config, text));
            }
        }
        Ok(gids)
    }
}

struct Entry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
}

impl Entry<'_> {
    fn read(line: &str) -> Option<Entry<'_>> {
        let mut fields = line.split(':');
        let (name, uid, gid) = (fields.next()?, fields.nth(1)?, fields.next()?);
        Some(Entry { name, uid: number(uid)?, gid: number(gid)? })
    }
}

/// A user or group by number. 4294967295 is none: for the kernel it means "unchanged".
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|id| digits && *id != u32::MAX)
}

fn unknown(what: &str, name: &str, file: &str) -> Error {
    let text = format!("there is no {what} `{}` in its {file}", name.escape_debug());
    Error::message(Kind::Usage, text).hinted("a number needs no such file")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Users {
        let passwd = "root:x:0:0::/root:/bin/sh\nbroken\nweb:x:33:34:Web:/srv:/bin/sh\n\
                      77:x:5:6::/:/x\nmax:x:4294967295:1::/:/x\n";
        let group =
            "root:x:0:\nadm:x:4:web,root\nweb:x:34:web\nlog:x:35:x,web\nadm2:x:4:web\nbad\n";
        Users { passwd: passwd.to_owned(), group: group.to_owned() }
    }

    #[test]
    fn users_by_name_and_number() {
        for (text, uid, gid, groups) in [
            ("", 0, 0, &[4][..]),
            ("root", 0, 0, &[4]),
            ("web", 33, 34, &[4, 35]),
            ("33", 33, 34, &[4, 35]),
            ("web:", 33, 34, &[4, 35]),
            ("web:adm", 33, 4, &[]),
            ("web:0", 33, 0, &[]),
            ("33:log", 33, 35, &[]),
            (":log", 0, 35, &[]),
            ("1000", 1000, 0, &[]),
            ("1000:1001", 1000, 1001, &[]),
            // A name that looks like a number wins.
            ("77", 5, 6, &[]),
        ] {
            let expected = User { uid, gid, additional_gids: groups.to_vec() };
            assert_eq!(users().resolve(text).unwrap(), expected, "{text}");
        }
        let nobody = Users::default();
        assert_eq!(nobody.resolve("0:0").unwrap(), User::default());
        assert_eq!(nobody.resolve("").unwrap(), User::default());
    }

    #[test]
    fn more_groups_than_the_kernel_takes() {
        let line = |gid: usize| format!("g:x:{gid}:web\n");
        let group = (100..101 + MAX_GROUPS).map(line).collect();
        let users = Users { group, ..users() };
        let error = users.resolve("web").unwrap_err();
        assert!(error.to_string().contains("more than 65536 groups"), "{error}");
        assert_eq!(users.resolve("web:0").unwrap().uid, 33);
    }

    #[test]
    fn strangers() {
        for text in
            ["nobody", "max", "-1", "+1", "4294967295", "web:nogroup", "root:-1", "a b", "broken"]
        {
            let error = users().resolve(text).unwrap_err();
            assert!(error.to_string().contains("in its /etc/"), "{error}");
            assert!(error.hint_text().is_some());
        }
    }
}
