namespace KdumpNfs.Ssh;

/// <summary>What sudo means by its words: why it did not run a shell, and what can be done about it.</summary>
internal static class SudoErrors
{
    private static readonly (string Words, string What, string Remedy)[] Known =
    [
        ("must have a tty to run sudo",
            "sudo wants a terminal (requiretty in sudoers), and scripts have none.",
            "Put 'Defaults:USER !requiretty' with the account's name into a file under /etc/sudoers.d, or connect as root."),
        ("a terminal is required",
            "sudo needs a password and found neither a terminal nor anything else to ask.",
            "Give it with -SudoPassword, or allow /bin/sh without one (NOPASSWD in a file under /etc/sudoers.d)."),
        ("no tty present and no askpass",
            "sudo needs a password and found neither a terminal nor anything else to ask.",
            "Give it with -SudoPassword, or allow /bin/sh without one (NOPASSWD in a file under /etc/sudoers.d)."),
        ("a password is required",
            "sudo needs a password.",
            "Give it with -SudoPassword, allow the account to run /bin/sh without one (NOPASSWD in a file under /etc/sudoers.d), or connect as root."),
        ("interactive authentication is required",
            "sudo needs a password.",
            "Give it with -SudoPassword, allow the account to run /bin/sh without one (NOPASSWD in a file under /etc/sudoers.d), or connect as root."),
        ("not in the sudoers file",
            "The account may not use sudo at all.",
            "Allow it to run /bin/sh in a file under /etc/sudoers.d, or use another account."),
        ("is not allowed to",
            "The account may use sudo, but not for /bin/sh as root.",
            "Allow it to run /bin/sh in a file under /etc/sudoers.d, or use another account."),
        ("account validation failure",
            "sudo took the password, but the account is locked or expired.",
            "Look at the account on the host: chage -l, faillock, passwd -S."),
    ];

    // sudo 1.8 and later with passwd_tries=1 or an end of input; older ones and sudo-rs in other words.
    private static readonly string[] Wrong = ["incorrect password attempt", "incorrect authentication attempt", "Sorry, try again", "no password was provided"];

    /// <summary>The error for words of sudo; null when they are somebody else's.</summary>
    public static HostException? Explain(string host, string said)
    {
        bool Has(string words) => said.Contains(words, StringComparison.OrdinalIgnoreCase);
        if (Wrong.Any(Has))
        {
            return PasswordWrong(host, said);
        }

        foreach (var (words, what, remedy) in Known)
        {
            if (Has(words))
            {
                return Refused(host, what, said, remedy);
            }
        }

        if (!Has("sudo"))
        {
            return null;
        }

        return Has("No such file") || Has("not found")
            ? Refused(host, "There is no sudo on the host.", said, "Install it, or connect as root.")
            : Refused(host, "sudo refused to run a shell.", said,
                "Allow the user to run /bin/sh through sudo (a file under /etc/sudoers.d; NOPASSWD, or give -SudoPassword), or connect as root.");
    }

    /// <summary>sudo asked a second time.</summary>
    public static HostException PasswordWrong(string host, string said) =>
        new(ErrorIds.SudoPasswordWrong, host, "sudo did not take the password. It was given once and is not given again.")
        {
            HostSaid = said.Trim(),
            Remedy = "Give the account's own password with -SudoPassword (root's where sudoers says rootpw). Each attempt counts on hosts that lock accounts.",
        };

    private static HostException Refused(string host, string what, string said, string remedy) =>
        new(ErrorIds.SudoRefused, host, what) { HostSaid = said, Remedy = remedy };
}
