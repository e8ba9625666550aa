// The hosts of a measurement run in a process of their own: what they cost is not the controller's.
using KdumpNfs.Tests.Loopback;

if (args is not ["serve", var count])
{
    Console.Error.WriteLine("usage: serve HOSTS; prints the fleet's home and port, and serves until stdin ends");
    return 2;
}

using var fleet = LoopbackFleet.Start(int.Parse(count, null));
Console.WriteLine($"{fleet.Home} {fleet.Port}");
while (Console.In.ReadLine() is not null)
{
}

return 0;
