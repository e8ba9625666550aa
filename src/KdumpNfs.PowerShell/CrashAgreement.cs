using System.Management.Automation;

namespace KdumpNfs.PowerShell;

/// <summary>The one question before hosts are crashed.</summary>
internal static class CrashAgreement
{
    /// <summary>Whether it is agreed to. -Force answers the question; it does not turn -WhatIf or an explicit -Confirm off.</summary>
    public static bool Given(PSCmdlet cmdlet, bool force, string text, Func<Func<bool>, bool> ask) =>
        (force && !IsWhatIf(cmdlet) && !cmdlet.MyInvocation.BoundParameters.ContainsKey("Confirm")) || ask(() => cmdlet.ShouldProcess(text, $"{text}\nContinue?", "Crash hosts"));

    /// <summary>Whether a cmdlet only shows what it would do.</summary>
    public static bool IsWhatIf(PSCmdlet cmdlet) =>
        LanguagePrimitives.IsTrue(cmdlet.MyInvocation.BoundParameters.TryGetValue("WhatIf", out var given) ? given : cmdlet.GetVariableValue("WhatIfPreference", false));
}
