using Mavi.Hosting;
using Mavi.Worker;

return args is [HealthCheck.Verb] ? await HealthCheck.AskAsync("/health/ready", WorkerApp.DefaultUrl) : await WorkerApp.RunAsync(args);
