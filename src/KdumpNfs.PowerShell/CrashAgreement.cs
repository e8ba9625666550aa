using System.Management.Automation;

namespace KdumpNfs.PowerShell;

/// <summary>The one question before hosts are crashed.</summary>
internal static class CrashAgreement
{
    /// <summary>Whether it is agreed to. -Force answers the question; it does not turn -WhatIf or an explicit -Confirm off.</summary>
    public static bool Given(PSCmdlet cmdlet, bool force, string text, Func<Func<bool>, bool> ask)
    {
        var bound = cmdlet.MyInvocation.BoundParameters;
        var whatIf = bound.TryGetValue("WhatIf", out var given) ? LanguagePrimitives.IsTrue(given) : LanguagePrimitives.IsTrue(cmdlet.GetVariableValue("WhatIfPreference", false));
        return (force && !whatIf && !bound.ContainsKey("Confirm")) || ask(() => cmdlet.ShouldProcess(text, $"{text}\nContinue?", "Crash hosts"));
    }
}
