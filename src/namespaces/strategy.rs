//! Pure: who makes or joins which namespace, and when.
//!
//! The kernel's rules behind the rows of the table test:
//!
//! - A pid namespace is entered by children only, so somebody has to enter it before the clone.
//! - A namespace belongs to the user namespace that was current when it was made, and joining one
//!   takes CAP_SYS_ADMIN over its owner. So what is joined is joined *before* a new user namespace
//!   (afterwards we have no power over it), and what is new is made *after* the user namespace.
//! - Root of the initial user namespace has power over every namespace and joins the user namespace
//!   last; an ordinary user has power over nothing outside the joined user namespace and joins that
//!   first.
//! - A time namespace is entered by children, or by oneself through `time_for_children`.
//! - A cgroup namespace is rooted at the cgroup in which its maker is, on v2 at the one that
//!   clone3(2) puts it into.

use super::plan::{Kind, Plan, Source};

/// How a new cgroup namespace is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CgroupNamespace {
    /// There is none to make.
    None,
    /// By clone3(2), together with the placement.
    AtClone,
    /// By unshare(2), after the process has been placed.
    AfterPlacement,
}

/// The way into all namespaces of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strategy {
    /// The parent enters the pid namespace at a path before it clones.
    pub parent_joins_pid: bool,
    /// A short-lived process between parent and init joins these, in this order, and clones init
    /// as its own sibling.
    pub stage: Option<Vec<Kind>>,
    /// Made by the clone of init.
    pub at_clone: Vec<Kind>,
    /// Joined by init, in this order.
    pub init_joins: Vec<Kind>,
    /// Made by init with unshare(2) after the joins.
    pub init_unshares: Vec<Kind>,
    /// How the cgroup namespace is made.
    pub cgroup: CgroupNamespace,
    /// Init makes a time namespace and enters it.
    pub new_time: bool,
}

/// Decides the way. `placed_at_clone`: clone3(2) itself puts init into its one cgroup.
/// `privileged`: we are root of the initial user namespace.
pub fn strategy(plan: &Plan, placed_at_clone: bool, privileged: bool) -> Strategy {
    let is_new = |kind: Kind| *plan.source(kind) == Source::New;
    let joined: Vec<Kind> = joins(plan, privileged);
    let joins_user = joined.contains(&Kind::User);
    let joins_pid = joined.contains(&Kind::Pid);
    let others: Vec<Kind> = joined.iter().copied().filter(|kind| *kind != Kind::Pid).collect();

    let cgroup = match (is_new(Kind::Cgroup), placed_at_clone) {
        (false, _) => CgroupNamespace::None,
        (true, true) => CgroupNamespace::AtClone,
        (true, false) => CgroupNamespace::AfterPlacement,
    };
    let mut made: Vec<Kind> =
        plan.new_kinds().filter(|kind| !matches!(kind, Kind::Time | Kind::Cgroup)).collect();
    if cgroup == CgroupNamespace::AtClone {
        made.push(Kind::Cgroup);
    }
    // What is joined has to be joined before a new user namespace takes the power away, and a pid
    // namespace can only be new in a child of whoever entered the user namespace, which an ordinary
    // user has to have entered to join any.
    let needs_stage = (is_new(Kind::User) && !others.is_empty())
        || (joins_user && is_new(Kind::Pid))
        || (joins_user && joins_pid && !privileged);
    let mut strategy = Strategy {
        parent_joins_pid: joins_pid && !needs_stage,
        stage: None,
        at_clone: Vec::new(),
        init_joins: Vec::new(),
        init_unshares: Vec::new(),
        cgroup,
        new_time: is_new(Kind::Time),
    };
    if needs_stage {
        strategy.stage = Some(joined);
        strategy.at_clone = made;
    } else if joins_user {
        strategy.init_joins = others;
        strategy.init_unshares = made;
        // Init is cloned outside the user namespace, so the clone cannot make what belongs to it.
        if cgroup == CgroupNamespace::AtClone {
            strategy.init_unshares.retain(|kind| *kind != Kind::Cgroup);
            strategy.cgroup = CgroupNamespace::AfterPlacement;
        }
    } else {
        strategy.init_joins = others;
        strategy.at_clone = made;
    }
    strategy
}

/// The joined kinds in the order in which they are joined: the mount namespace late, since it
/// replaces root and working directory.
fn joins(plan: &Plan, privileged: bool) -> Vec<Kind> {
    let mut order =
        vec![Kind::Ipc, Kind::Uts, Kind::Network, Kind::Cgroup, Kind::Time, Kind::Pid, Kind::Mount];
    if privileged {
        order.push(Kind::User);
    } else {
        order.insert(0, Kind::User);
    }
    order.retain(|kind| matches!(plan.source(*kind), Source::Path(..)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    const N: &str = "new";
    const J: &str = "joined";

    fn plan(kinds: &[(&str, &str)]) -> Plan {
        let member = |(kind, how): &(&str, &str)| match *how {
            "joined" => format!(r#"{{"type":"{kind}","path":"/ns/{kind}"}}"#),
            _ => format!(r#"{{"type":"{kind}"}}"#),
        };
        let members: Vec<_> = kinds.iter().map(member).collect();
        let text = format!(r#"{{"linux":{{"namespaces":[{}]}}}}"#, members.join(","));
        Plan::compile(&spec::parse(text.as_bytes()).unwrap()).unwrap()
    }

    fn plain() -> Strategy {
        Strategy {
            parent_joins_pid: false,
            stage: None,
            at_clone: vec![],
            init_joins: vec![],
            init_unshares: vec![],
            cgroup: CgroupNamespace::None,
            new_time: false,
        }
    }

    #[test]
    fn nothing_new_nothing_joined() {
        assert_eq!(strategy(&plan(&[]), true, true), plain());
    }

    #[test]
    fn an_ordinary_container_is_one_clone() {
        let all = plan(&[("pid", N), ("network", N), ("ipc", N), ("uts", N), ("mount", N)]);
        let expected = vec![Kind::Mount, Kind::Pid, Kind::Network, Kind::Ipc, Kind::Uts];
        assert_eq!(strategy(&all, true, true), Strategy { at_clone: expected, ..plain() });
    }

    #[test]
    fn a_cgroup_namespace_follows_the_placement() {
        let plan = plan(&[("cgroup", N)]);
        let at_clone =
            Strategy { at_clone: vec![Kind::Cgroup], cgroup: CgroupNamespace::AtClone, ..plain() };
        assert_eq!(strategy(&plan, true, true), at_clone);
        let after = Strategy { cgroup: CgroupNamespace::AfterPlacement, ..plain() };
        assert_eq!(strategy(&plan, false, true), after);
    }

    #[test]
    fn a_pid_namespace_by_path_is_entered_by_the_parent() {
        let plan = plan(&[("pid", J), ("mount", N)]);
        let expected = Strategy { parent_joins_pid: true, at_clone: vec![Kind::Mount], ..plain() };
        assert_eq!(strategy(&plan, true, true), expected);
    }

    #[test]
    fn other_namespaces_by_path_are_entered_by_init_the_mount_namespace_last() {
        let plan = plan(&[("mount", J), ("network", J), ("ipc", J), ("pid", N), ("time", J)]);
        let expected = Strategy {
            at_clone: vec![Kind::Pid],
            init_joins: vec![Kind::Ipc, Kind::Network, Kind::Time, Kind::Mount],
            ..plain()
        };
        assert_eq!(strategy(&plan, true, true), expected);
    }

    #[test]
    fn a_new_user_namespace_comes_with_the_others_in_one_clone() {
        let plan = plan(&[("user", N), ("mount", N), ("pid", N), ("time", N)]);
        let expected = Strategy {
            at_clone: vec![Kind::User, Kind::Mount, Kind::Pid],
            new_time: true,
            ..plain()
        };
        assert_eq!(strategy(&plan, true, true), expected);
    }

    #[test]
    fn a_new_user_namespace_and_only_a_joined_pid_namespace_need_no_stage() {
        let plan = plan(&[("user", N), ("pid", J), ("mount", N)]);
        let expected =
            Strategy { parent_joins_pid: true, at_clone: vec![Kind::User, Kind::Mount], ..plain() };
        assert_eq!(strategy(&plan, true, true), expected);
    }

    #[test]
    fn what_is_joined_is_joined_before_a_new_user_namespace() {
        // docker run --network container:X with userns-remap; runc does it in its nsexec stages
        let plan = plan(&[("user", N), ("network", J), ("mount", N), ("pid", N)]);
        let expected = Strategy {
            stage: Some(vec![Kind::Network]),
            at_clone: vec![Kind::User, Kind::Mount, Kind::Pid],
            ..plain()
        };
        assert_eq!(strategy(&plan, true, true), expected);
    }

    #[test]
    fn a_joined_user_namespace_owns_what_is_new() {
        // podman run --userns container:X without a pid namespace of its own
        let plan = plan(&[("user", J), ("mount", N), ("network", J)]);
        let expected = Strategy {
            init_joins: vec![Kind::Network, Kind::User],
            init_unshares: vec![Kind::Mount],
            ..plain()
        };
        assert_eq!(strategy(&plan, true, true), expected);
        let rootless = Strategy { init_joins: vec![Kind::User, Kind::Network], ..expected };
        assert_eq!(strategy(&plan, true, false), rootless);
    }

    #[test]
    fn a_joined_user_namespace_with_a_new_pid_namespace_needs_the_stage() {
        // a pod: the sandbox made user and network, the container brings pid and mount
        let plan = plan(&[("user", J), ("network", J), ("pid", N), ("mount", N), ("cgroup", N)]);
        let expected = Strategy {
            stage: Some(vec![Kind::Network, Kind::User]),
            at_clone: vec![Kind::Mount, Kind::Pid, Kind::Cgroup],
            cgroup: CgroupNamespace::AtClone,
            ..plain()
        };
        assert_eq!(strategy(&plan, true, true), expected);
    }

    #[test]
    fn a_joined_user_namespace_cannot_get_its_cgroup_namespace_from_the_clone() {
        let plan = plan(&[("user", J), ("cgroup", N)]);
        let expected = Strategy {
            init_joins: vec![Kind::User],
            cgroup: CgroupNamespace::AfterPlacement,
            ..plain()
        };
        assert_eq!(strategy(&plan, true, true), expected);
    }

    #[test]
    fn joined_user_and_pid_namespaces() {
        let plan = plan(&[("user", J), ("pid", J), ("mount", N)]);
        let expected = Strategy {
            parent_joins_pid: true,
            init_joins: vec![Kind::User],
            init_unshares: vec![Kind::Mount],
            ..plain()
        };
        assert_eq!(strategy(&plan, true, true), expected);
        let rootless = Strategy {
            stage: Some(vec![Kind::User, Kind::Pid]),
            at_clone: vec![Kind::Mount],
            ..plain()
        };
        assert_eq!(strategy(&plan, true, false), rootless);
    }

    #[test]
    fn a_stage_joins_the_pid_namespace_too() {
        let plan = plan(&[("user", N), ("pid", J), ("network", J), ("mount", N)]);
        let expected = Strategy {
            stage: Some(vec![Kind::Network, Kind::Pid]),
            at_clone: vec![Kind::User, Kind::Mount],
            ..plain()
        };
        assert_eq!(strategy(&plan, true, true), expected);
    }
}
