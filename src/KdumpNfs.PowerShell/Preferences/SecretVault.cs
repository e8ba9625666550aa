using System.Management.Automation;
using System.Security;

namespace KdumpNfs.PowerShell;

/// <summary>Credentials by name from the vaults of Microsoft.PowerShell.SecretManagement, where that module is.</summary>
internal static class SecretVault
{
    private const string Command = @"Microsoft.PowerShell.SecretManagement\Get-Secret";

    /// <summary>The credential of a name.</summary>
    /// <param name="invoker">The session's commands.</param>
    /// <param name="name">The secret's name, or VAULT\NAME.</param>
    /// <param name="userName">The login name for a secret that is a password alone.</param>
    /// <exception cref="HostException">VaultNotAvailable: the module is not there. SecretNotFound: no such secret, or one that is no credential.</exception>
    public static PSCredential Credential(CommandInvocationIntrinsics invoker, string name, string? userName)
    {
        // A name qualified by its module loads the module, and finds no command of another one.
        if (invoker.GetCommand(Command, CommandTypes.Cmdlet | CommandTypes.Function) is null)
        {
            throw new HostException(ErrorIds.VaultNotAvailable, "", $"The credential '{Printable.Escape(name)}' is to come from a vault, and the module Microsoft.PowerShell.SecretManagement is not there.")
            {
                Remedy = "Install-Module Microsoft.PowerShell.SecretManagement, and register a vault; or give -Credential.",
            };
        }

        var slash = name.IndexOf('\\', StringComparison.Ordinal);
        using var shell = System.Management.Automation.PowerShell.Create(RunspaceMode.CurrentRunspace);
        shell.AddCommand(Command).AddParameter("Name", slash < 0 ? name : name[(slash + 1)..]).AddParameter("ErrorAction", ActionPreference.Stop);
        if (slash > 0)
        {
            shell.AddParameter("Vault", name[..slash]);
        }

        PSObject? secret;
        try
        {
            secret = shell.Invoke().FirstOrDefault();
        }
        catch (RuntimeException e)
        {
            throw NotFound(name, $"cannot be read: {Printable.Escape(e.Message)}", e);
        }

        return secret?.BaseObject switch
        {
            PSCredential credential => credential,
            SecureString password when !string.IsNullOrEmpty(userName) => new PSCredential(userName, password),
            SecureString => throw NotFound(name, "is a password without a user name; give -UserName as well"),
            null => throw NotFound(name, "is not in the vault"),
            _ => throw NotFound(name, "is no credential"),
        };
    }

    private static HostException NotFound(string name, string what, Exception? inner = null) => new(ErrorIds.SecretNotFound, "", $"The secret '{Printable.Escape(name)}' {what}.", inner)
    {
        Remedy = "Get-SecretInfo lists the secrets; Set-Secret NAME (Get-Credential) makes one. -CredentialName takes NAME or VAULT\\NAME.",
    };
}
